//! A raw line service beside the pages: it greets whoever says a name. Limits and time-outs are the server's.

use std::io;

use haechi::Stream;

/// Answers each line with a greeting, until the client stops or says an empty line.
pub(crate) async fn serve(mut stream: Stream) -> io::Result<()> {
    stream.write_all("This is the board. 안녕하세요! Say your name.\n".as_bytes()).await?;
    while let Some(name) = stream.read_line(LONGEST).await?.filter(|name| !name.trim().is_empty()) {
        stream.write_all(format!("Hello, {}!\n", name.trim()).as_bytes()).await?;
    }
    stream.shutdown().await
}

/// As many bytes as a name has at most.
const LONGEST: usize = 256;
