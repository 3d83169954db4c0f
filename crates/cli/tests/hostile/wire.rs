//! A connection that says exactly what it is told to, and reads answers one after another.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// How long an answer may take before it counts as none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, read whole.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of this name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What came instead of an answer, or an answer.
#[derive(Debug)]
pub(crate) enum Heard {
    Answer(Answer),
    /// The connection is over.
    End,
    /// Nothing, for as long as anybody would wait.
    Silence,
}

/// One connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// Connects to `host:port`.
    pub(crate) fn connect(host: &str) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes. A peer that has hung up already is no error: what it said before counts.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// The next answer. One to HEAD has no body, whatever its length says.
    pub(crate) fn hear(&mut self, method: &str) -> Heard {
        match self.read(method) {
            Ok(Some(answer)) => Heard::Answer(answer),
            Ok(None) => Heard::End,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Heard::Silence,
                // Bytes that the server did not want to read turn its goodbye into a reset.
                _ => Heard::End,
            },
        }
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.send(request.as_bytes());
        match self.hear(request.split(' ').next().unwrap_or_default()) {
            Heard::Answer(answer) => answer,
            other => panic!("{other:?} instead of an answer to\n{request}"),
        }
    }

    fn read(&mut self, method: &str) -> io::Result<Option<Answer>> {
        let Some(start) = self.line()? else { return Ok(None) };

        let (version, rest) = start.split_once(' ').unwrap_or_default();
        assert!(version.starts_with("HTTP/1."), "not the beginning of an answer: {start:?}");
        let status =
            rest.get(..3).and_then(|code| code.parse().ok()).expect("a status is a number");
        let mut answer = Answer { status, ..Answer::default() };
        while let Some(line) = self.line()?.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').expect("a header has a colon");
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if method != "HEAD" && status >= 200 && status != 204 && status != 304 {
            answer.body = self.body(&answer)?;
        }
        Ok(Some(answer))
    }

    fn body(&mut self, answer: &Answer) -> io::Result<String> {
        let mut body = Vec::new();
        if let Some(length) = answer.header("content-length") {
            body.resize(length.parse().expect("a length is a number"), 0);
            self.stream.read_exact(&mut body)?;
        } else if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(size) = self.line()? {
                let size = usize::from_str_radix(&size, 16).expect("a chunk has a size");
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk)?;
                body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    break;
                }
            }
        } else {
            self.stream.read_to_end(&mut body)?;
        }
        Ok(String::from_utf8(body).expect("every answer is UTF-8"))
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line)?;
        Ok((length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}
