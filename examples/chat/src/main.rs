//! `chat` serves a page where people chat; `chat --join NAME ROOM` chats in the terminal.

use std::process::ExitCode;

use chat::config::{Task, USAGE, parse};
use chat::log::Log;
use chat::{server, terminal};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let database = std::env::var("DATABASE_URL").ok();
    let done = match parse(std::env::args().skip(1), database) {
        Ok(Task::Help) => {
            println!("{USAGE}");
            Ok(())
        }
        Ok(Task::Serve { address, database }) => serve(&address, &database).await,
        Ok(Task::Join { url, nick, room }) => terminal::chat(url, &nick, &room).await,
        Err(error) => Err(format!("{error}\n\n{USAGE}")),
    };
    // At once: a thread may still wait for a line of input.
    match done {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str, database: &str) -> Result<(), String> {
    let log = Log::new(database).map_err(|error| format!("DATABASE_URL: {error}"))?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; try --listen 127.0.0.1:0")
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // The URL may hold a password.
    let kind = database.split(':').next().unwrap_or_default();
    println!("chat on http://{address} (messages are logged in {kind}; ctrl-c ends)");
    let ended = server::serve(listener, log, stop()).await.map_err(|error| error.to_string())?;
    println!("{} people were told, {} cut off; everything is logged", ended.told, ended.cut_off);
    Ok(())
}

/// Until ctrl-c, or the system's wish to end.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
