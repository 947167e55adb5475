//! Reading a file, on a thread of its own, a chunk at a time: while one is written to the database the next is read,
//! and no more than that is in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use flate2::bufread::MultiGzDecoder;
use tokio::sync::mpsc;

use super::BadLine;
use super::line::Line;
use crate::clock::Clock;

/// Lines of one chunk, and so at most of one transaction.
const LINES: usize = 300;
/// Room for a message of 10,000 characters, each written as two escapes of six bytes, and all else.
const LONGEST_LINE: u64 = 256 * 1024;
/// A chunk is full with so many bytes too, so that long lines take no more memory than short ones.
const BYTES: usize = 8 * 1024 * 1024;

/// What is read: lines of JSON, plain or compressed by gzip.
pub struct Input {
    reader: Box<dyn BufRead + Send>,
    /// Bytes of the file that were read.
    done: Arc<AtomicU64>,
    /// Bytes of the file; `None` for what is no file.
    pub length: Option<u64>,
}

/// Lines that follow one another.
#[derive(Default)]
pub(super) struct Chunk {
    pub good: Vec<Line>,
    pub bad: Vec<BadLine>,
    /// Bytes of the file up to here.
    pub done: u64,
}

impl Input {
    /// A file; `-` is standard input.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::new(io::stdin(), None);
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A pipe has no length to speak of.
        let length = about.is_file().then_some(about.len());
        Self::new(file, length)
    }

    /// Whether it is compressed is seen by its first bytes, not by its name.
    pub fn new(read: impl Read + Send + 'static, length: Option<u64>) -> io::Result<Self> {
        const GZIP: [u8; 2] = [0x1f, 0x8b];
        let done = Arc::new(AtomicU64::new(0));
        let counted = Counted { read, done: done.clone() };
        let mut first = Vec::new();
        let mut counted = BufReader::with_capacity(64 * 1024, counted);
        counted.by_ref().take(GZIP.len() as u64).read_to_end(&mut first)?;
        let is_compressed = first == GZIP;
        let whole = BufReader::new(io::Cursor::new(first).chain(counted));
        let reader: Box<dyn BufRead + Send> = match is_compressed {
            true => Box::new(BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(whole))),
            false => Box::new(whole),
        };
        Ok(Self { reader, done, length })
    }

    /// Reads on a thread of its own. That ends when all is read, or nobody listens any more; whether all was read,
    /// only the thread's end tells.
    pub(super) fn chunks(self, clock: Clock) -> (mpsc::Receiver<io::Result<Chunk>>, JoinHandle<()>) {
        let (send, receive) = mpsc::channel(1);
        let reading = std::thread::spawn(move || {
            let mut lines = Lines { input: self, clock, number: 0, last_ids: HashMap::new() };
            loop {
                let chunk = lines.chunk();
                let is_last = !matches!(chunk, Ok(Some(_)));
                if chunk.transpose().is_some_and(|chunk| send.blocking_send(chunk).is_err()) || is_last {
                    return;
                }
            }
        });
        (receive, reading)
    }
}

struct Counted<R> {
    read: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read.read(buffer)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

struct Lines {
    input: Input,
    clock: Clock,
    number: u64,
    /// Of each channel's latest line in this file.
    last_ids: HashMap<Arc<str>, i32>,
}

impl Lines {
    /// The next lines; `None` behind the last.
    fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let (mut bytes, mut taken) = (Vec::new(), 0);
        let is_over = loop {
            if chunk.good.len() + chunk.bad.len() >= LINES || taken >= BYTES {
                break false;
            }
            bytes.clear();
            self.number += 1;
            let count = (&mut self.input.reader).take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
            if count == 0 {
                break true;
            }
            taken += count;
            let read = match count as u64 == LONGEST_LINE && !bytes.ends_with(b"\n") {
                true => {
                    self.input.reader.skip_until(b'\n')?;
                    Err("is too long".into())
                }
                false if bytes.trim_ascii().is_empty() => continue,
                false => Line::parse(&bytes, self.clock.now()).and_then(|line| self.in_order(line)),
            };
            match read {
                Ok(line) => chunk.good.push(line),
                Err(reason) => chunk.bad.push(BadLine { number: self.number, reason }),
            }
        };
        chunk.done = self.input.done.load(Ordering::Relaxed);
        let is_empty = chunk.good.is_empty() && chunk.bad.is_empty();
        Ok((!is_over || !is_empty).then_some(chunk))
    }

    /// Ids must ascend within a channel: only lines later than those taken are new. Lines share the channel's name.
    fn in_order(&mut self, mut line: Line) -> Result<Line, String> {
        match self.last_ids.get_key_value(&line.channel).map(|(channel, last)| (channel.clone(), *last)) {
            Some((_, last)) if line.id <= last => {
                return Err(format!("`id`: {} comes after {last} in channel {:?}", line.id, line.channel));
            }
            Some((channel, _)) => line.channel = channel,
            None => {}
        }
        self.last_ids.insert(line.channel.clone(), line.id);
        Ok(line)
    }
}
