//! JSON as programs send it: the same keys again and again, other values.

use std::fmt::Write;

const WORDS: [&str; 24] = [
    "apple", "bridge", "cloud", "delta", "ember", "forest", "garden", "harbor", "island", "jungle",
    "kettle", "lantern", "meadow", "needle", "ocean", "pepper", "quartz", "river", "saddle",
    "timber", "umbrella", "valley", "winter", "yellow",
];

/// Different messages of `size` bytes, together much more than a window.
pub fn messages(size: usize) -> Vec<Vec<u8>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..(512 << 10) / size).map(|_| message(size, &mut random)).collect()
}

fn message(size: usize, random: &mut Random) -> Vec<u8> {
    let mut text = String::from("[");
    loop {
        let entry = entry(random);
        if text.len() + entry.len() + 2 > size {
            break;
        }
        text.push_str(&entry);
    }
    text.push_str("0]");
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}

fn entry(random: &mut Random) -> String {
    let mut entry = format!(r#"{{"id":{},"name":"#, random.below(1_000_000));
    let _ = write!(entry, r#""{} {}","#, random.word(), random.word());
    let _ = write!(entry, r#""price":{}.{:02},"#, random.below(500), random.below(100));
    let _ = write!(entry, r#""time":{},"tags":["#, 1_700_000_000 + random.below(30_000_000));
    let _ = write!(
        entry,
        r#""{}","{}"],"active":{}}},"#,
        random.word(),
        random.word(),
        random.below(2) == 0
    );
    entry
}

/// Xorshift: the same messages for everybody, each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) % bound
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u64) as usize]
    }
}
