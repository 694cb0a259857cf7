//! The chat in a terminal.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::client::{Client, Happening};
use crate::names::{Nick, Room};
use crate::protocol::{LogState, Said};

/// How long the last messages may take to be logged after the input has ended.
const GRACE: Duration = Duration::from_secs(10);

/// Chats until the input ends, or `/quit`, or ctrl-c.
///
/// Lines are said, and what is said is printed. `/who` lists who is there.
///
/// # Errors
///
/// Why it had to end before.
pub async fn chat(url: String, nick: &Nick, room: &Room) -> Result<(), String> {
    let (client, mut happenings) = Client::start(url, room.to_string(), nick.to_string());
    let mut lines = input();
    let mut screen = Screen::default();
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            happening = happenings.recv() => match happening {
                Some(Happening::Ended(why)) => return Err(why),
                Some(happening) => screen.show(happening),
                None => return Err("the client ended".into()),
            },
            line = lines.recv() => match line.as_deref().map(str::trim_end) {
                None | Some("/quit") => break,
                Some("") => {}
                Some("/who") => note(&format!("here: {}", screen.members.join(", "))),
                Some(line) => {
                    client.say(line);
                    screen.unlogged += 1;
                }
            },
            _ = &mut interrupt => break,
        }
    }
    let logged = timeout(GRACE, async {
        while screen.unlogged > 0 {
            match happenings.recv().await {
                Some(Happening::Ended(_)) | None => break,
                Some(happening) => screen.show(happening),
            }
        }
        drop(client);
        while happenings.recv().await.is_some() {}
    });
    let _ = logged.await;
    if screen.unlogged == 0 {
        Ok(())
    } else {
        Err(format!("{} messages are not logged", screen.unlogged))
    }
}

/// The lines of standard input; waiting for one blocks a thread, so it has one of its own.
fn input() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

#[derive(Default)]
struct Screen {
    members: Vec<String>,
    unlogged: usize,
}

impl Screen {
    fn show(&mut self, happening: Happening) {
        match happening {
            Happening::Online(members, log) => {
                note(&format!("in the room with {}", members.join(", ")));
                self.members = members;
                if log != LogState::Ok {
                    self.show(Happening::Log(log));
                }
            }
            Happening::Offline(why, wait) => {
                note(&format!("{why}; trying again in {:.1} s", wait.as_secs_f32()));
            }
            Happening::Said(said) => print(&line(&said)),
            Happening::Logged(..) => self.unlogged = self.unlogged.saturating_sub(1),
            Happening::Refused(_, text, again) => {
                if !again {
                    self.unlogged = self.unlogged.saturating_sub(1);
                }
                note(&if again { format!("{text} (this happens by itself)") } else { text });
            }
            Happening::Presence(nick, here) => {
                self.members.retain(|member| *member != nick);
                note(&format!("{nick} {}", if here { "came" } else { "left" }));
                if here {
                    self.members.push(nick);
                    self.members.sort_by_key(|member| member.to_lowercase());
                }
            }
            Happening::Log(state) => note(match state {
                LogState::Ok => "messages are saved again",
                LogState::Slow => "saving messages takes long",
                LogState::Down => "messages cannot be saved, and wait until they can",
            }),
            Happening::Ended(why) => note(&why),
        }
    }
}

/// Something that nobody said.
fn note(text: &str) {
    print(&format!("* {text}"));
}

/// A message as a line, with its time of day.
fn line(said: &Said) -> String {
    let minutes = said.at.div_euclid(60_000);
    let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
    format!("{hour:02}:{minute:02}Z {}: {}", said.nick, said.text)
}

/// Prints what others said: without what a terminal would take for a command.
fn print(text: &str) {
    let safe = text.replace('\n', "\n    ");
    let safe = safe.replace(|c: char| c.is_control() && c != '\n', " ");
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{safe}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_line_with_its_time() {
        let (nick, text) = ("Ann".into(), "tea?".into());
        let said = Said { seq: 1, id: "a".into(), nick, text, at: 86_400_000 + 3_660_000 };
        assert_eq!(line(&said), "01:01Z Ann: tea?");
    }
}
