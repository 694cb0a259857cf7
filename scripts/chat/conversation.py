"""What people do in the chat, with what they have to see; and pictures of it."""

import http.client
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from browser import ENTER  # noqa: E402
from database import MariaDb, Sqlite  # noqa: E402
from process import Failure, Program  # noqa: E402
from room import BANNER, ENTERED, SHOWN, WAITING, Chat, Talk, enter  # noqa: E402


def conversation(program, database, driver):
    """Two pages and a terminal: a reload, a restart, and a failure of the database, with not a message lost."""
    done = 0

    def step(what):
        nonlocal done
        done += 1
        print(f"  {database.name}: {what}", flush=True)

    room = "Tea-Room"
    with Chat(program, database) as chat:
        ann, ben = driver.page("Ann"), driver.page("Ben")
        enter(ann, chat.url, "Ann", room)
        enter(ben, chat.url, "Ben", room)
        with chat.terminal("Chloé", room) as terminal:
            terminal.expect(r"in the room with Ann, Ben, Chloé")
            talk = Talk(room, [ann, ben], terminal)
            ann.wait("the arrival", "return document.getElementById('people-count').textContent === '3'")
            step("all three see each other")

            talk.say(ann, "hello from a page")
            talk.say(terminal, "hello from a terminal")
            talk.say(ben, "<img src=x onerror=document.title='broken'> & <b>markup</b> 🎈")
            talk.settle()
            if ann.run("return document.title") == "broken" or ann.run("return document.images.length") > 1:
                raise Failure("what was said became HTML")
            step("they talk, and markup stays text")

            ben.run("document.getElementById('text').value = 'x'; document.getElementById('text')"
                    ".dispatchEvent(new Event('input'))")
            ann.wait("the typing", "return document.getElementById('typing').textContent === 'Ben is typing…'")
            ben.run("document.getElementById('text').value = ''; document.getElementById('text')"
                    ".dispatchEvent(new Event('input'))")
            ann.wait("its end", "return document.getElementById('typing').textContent === ''")
            ann.wait("the latency", r"return /^[\d.]+ ms$/.test(document.getElementById('latency').textContent)")
            step("typing and latency are shown")

            other = driver.page("other Ben")
            other.open(f"{chat.url}/#{room}")
            other.type("#nick", "bEN" + ENTER)
            other.wait("the refusal", "return /called bEN already/.test(document.getElementById('problem').textContent)")
            other.close()
            step("a nickname is given once")

            before = ann.run(SHOWN)
            ann.reload()
            ann.wait("coming in again", ENTERED)
            talk.settle()
            if ann.run(SHOWN) != before:
                raise Failure("after a reload the history is another")
            step("after a reload the history is there")

            talk.say(ann, "just before the restart")
            chat.stop()
            for page in talk.pages:
                page.wait("noticing", "return document.getElementById('connection').dataset.state !== 'online'")
            talk.say(ann, "said by Ann while the server is away")
            talk.say(ann, "and another")
            talk.say(terminal, "said by Chloé while the server is away")
            if ann.run(WAITING) < 2:
                raise Failure("what waits for the connection is not shown as waiting")
            chat.start()
            talk.settle()
            step("after a restart all come back, and what was said meanwhile is there")

            database.fail()
            talk.say(ben, "said while the database is away")
            ben.wait("being told", f"{BANNER} && {BANNER.removeprefix('return ')}.includes('cannot be saved')")
            terminal.expect("messages cannot be saved")
            talk.say(terminal, "this one, too")
            if sorted(text for _, _, text in ann.run(SHOWN)) != sorted(talk.said[:-2]):
                raise Failure("a message was published that is not logged")
            # A page that comes in meanwhile gets its history when it can be had.
            ann.reload()
            ann.wait("coming in again", ENTERED)
            database.resume()
            talk.settle()
            ben.wait("the end of the banner", f"return !({BANNER.removeprefix('return ')})")
            step("without its database it refuses, and then resumes by itself")

            if isinstance(database, MariaDb):
                database.freeze()
                talk.say(ann, "said while the database hangs")
                ann.wait("being told of slowness", f"{BANNER} && /long|cannot/.test({BANNER.removeprefix('return ')})")
                ann.wait("being told", f"{BANNER} && {BANNER.removeprefix('return ')}.includes('cannot be saved')")
                database.thaw()
                talk.settle()
                step("a database that hangs is found out, and the message is logged once")

            talk.say(ben, "the last word")
            talk.settle()
            for page in talk.pages:
                if complaints := page.complaints():
                    raise Failure(f"the console of {page.name}'s page: {complaints}")
            terminal.end_input()
            terminal.finish(15)
            chat.stop()

        query = "SELECT seq, text FROM messages WHERE room = 'tea-room' ORDER BY seq"
        rows = [(int(seq), text) for seq, text in database.rows(query)]
        if [text for _, text in rows] != talk.heard() or [seq for seq, _ in rows] != list(range(1, len(rows) + 1)):
            raise Failure(f"the log has {rows}, and heard was {talk.heard()}")
        step(f"the log has the {len(rows)} messages, each once, in the order in which all saw them")
        ben.close()

        chat.start()
        history(chat, database, ann)
        step("pages of history, and an absence of more than one page")
        check_page(ann)
        if complaints := ann.complaints():
            raise Failure(f"the console of the page: {complaints}")
        ann.close()
        step("all controls have names, and a screen of 320 pixels is wide enough")
        check_http(chat)
        step("headers, and who may connect")
        chat.stop(Program.interrupt)
        step("ctrl-c ends it as well")
        chat.start()
    return done


def history(chat, database, page):
    """A room of 120 messages, and 120 more while the page is away."""
    def fill(numbers):
        rows = ", ".join(f"('old', {number}, 'old-{number}', 'Dan', 'number {number}', {number})" for number in numbers)
        database.rows(f"INSERT INTO messages (room, seq, id, nick, text, at) VALUES {rows}")

    def shown(first, last):
        texts = [text for _, _, text in page.run(SHOWN)]
        if texts != [f"number {number}" for number in range(first, last + 1)]:
            raise Failure(f"not {first} to {last} but {texts}")

    fill(range(1, 121))
    # Not by forgetting the name: the page comes back by itself meanwhile, and remembers it again.
    page.click("#leave")
    page.wait("being outside", "return !document.getElementById('door').hidden")
    page.open("about:blank")
    enter(page, chat.url, "Ann", "old")
    count = "return document.querySelectorAll('#messages > .said').length === arguments[0]"
    page.wait("the latest page", count, 50)
    shown(71, 120)
    for number in 100, 120:
        page.click("#older")
        page.wait("an earlier page", count, number)
    shown(1, 120)
    if page.run("return !document.getElementById('older').hidden"):
        raise Failure("the page promises what was before the first message")
    chat.stop()
    fill(range(121, 241))
    chat.start()
    page.wait("all that was said meanwhile", count, 240, seconds=30)
    shown(1, 240)


def check_page(page):
    """What somebody without a mouse, or without a wide screen, has of it."""
    nodes = page.devtools("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if node.get("role", {}).get("value") in ("button", "textbox") and not node["ignored"]]
    nameless = [node for node in controls if not node.get("name", {}).get("value")]
    roles = {node.get("role", {}).get("value") for node in nodes}
    if nameless or len(controls) < 4:
        raise Failure(f"{len(controls)} controls, without a name: {nameless}")
    if missing := {"log", "status", "banner", "complementary", "contentinfo", "heading"} - roles:
        raise Failure(f"the page has no {missing}")
    page.devtools("Emulation.setDeviceMetricsOverride", width=320, height=600, deviceScaleFactor=1, mobile=True)
    width = page.run("return document.scrollingElement.scrollWidth")
    page.devtools("Emulation.clearDeviceMetricsOverride")
    if width > 320:
        raise Failure(f"on a screen of 320 pixels the page is {width} wide")


def check_http(chat):
    """What the page may do, and who else may connect."""
    with urllib.request.urlopen(chat.url, timeout=10) as response:
        policy = response.headers["content-security-policy"]
        if "default-src 'none'" not in policy or "unsafe" in policy:
            raise Failure(f"a lax policy: {policy}")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "chat.v1"}
    others = "https://elsewhere.example", "null", chat.url + ".elsewhere.example"
    for origin, wanted in [(chat.url, 101), *((other, 403) for other in others)]:
        # urllib would say `Connection: close`.
        connection = http.client.HTTPConnection(chat.url.removeprefix("http://"), timeout=10)
        try:
            connection.request("GET", "/chat", headers={**upgrade, "Origin": origin})
            status = connection.getresponse().status
        finally:
            connection.close()
        if status != wanted:
            raise Failure(f"a page of {origin} gets {status}, not {wanted}")


def pictures(program, folder, driver, docs):
    """The page as it is, for people to look at."""
    database = Sqlite(folder)
    with Chat(program, database) as chat:
        ann, ben = driver.page("Ann"), driver.page("Ben")
        enter(ann, chat.url, "Ann", "lobby")
        enter(ben, chat.url, "Ben", "lobby")
        with chat.terminal("Chloé", "lobby") as terminal:
            terminal.expect("in the room")
            talk = Talk("lobby", [ann, ben], terminal)
            for who, text in [
                (ann, "Morning! Is the kettle on?"),
                (ben, "Just boiled. Assam or mint?"),
                (ann, "Assam, please. And before I forget:"),
                (ann, "The release notes are in the shared folder. Could somebody read them who has never seen "
                      "the program? I would rather hear it today than from the first user."),
                (terminal, "I can, from the train. My connection comes and goes, but nothing seems to get lost."),
                (ben, "That would be great."),
                (terminal, "Arrived, and done: two commas and one wrong year."),
                (ann, "Thank you both!"),
            ]:
                talk.say(who, text)
                talk.settle()
            ann.wait("the latency", "return document.getElementById('latency').textContent !== ''")
            ben.type("#text", "Biscuits?")
            ann.wait("the typing", "return document.getElementById('typing').textContent !== ''")
            for screen, width, height in ("desktop", 1100, 680), ("phone", 390, 720):
                for dark in False, True:
                    name = f"{screen}-{'dark' if dark else 'light'}.png"
                    ann.screenshot(docs / name, width, height, dark)
            database.fail()
            talk.say(ann, "Who brings the biscuits?")
            ann.wait("being told", f"{BANNER} && {BANNER.removeprefix('return ')}.includes('cannot be saved')")
            ann.screenshot(docs / "phone-refused.png", 390, 720)
            database.resume()
    print(f"chat: {len(list(docs.glob('*.png')))} pictures")
