//! The body of a response on its way out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::BoxError;
use super::body::BodyState;
use super::wire::Open;

pin_project! {
    /// The service's body or the server's own, which holds its exchange open until it is written.
    #[derive(Debug)]
    pub(super) struct Answer<B> {
        #[pin]
        kind: Kind<B>,
        // Breaks the response off when the request body breaks under it.
        request: Option<Arc<BodyState>>,
        _open: Open,
    }
}

pin_project! {
    #[project = KindProject]
    #[derive(Debug)]
    enum Kind<B> {
        Service { #[pin] body: B },
        Server { bytes: Option<Bytes> },
        Nothing,
    }
}

/// A piece of either body.
#[derive(Debug)]
pub(super) enum Piece<D> {
    Service(D),
    Server(Bytes),
}

impl<B> Answer<B> {
    pub(super) fn service(body: B, request: Option<Arc<BodyState>>, open: Open) -> Self {
        Self { kind: Kind::Service { body }, request, _open: open }
    }

    pub(super) fn server(bytes: Bytes, open: Open) -> Self {
        Self { kind: Kind::Server { bytes: Some(bytes) }, request: None, _open: open }
    }

    /// Leaves the body out.
    pub(super) fn without_body(self) -> Self {
        Self { kind: Kind::Nothing, ..self }
    }
}

impl<B: HttpBody> Answer<B> {
    /// Returns how long the body is, as far as that is known. In bytes.
    pub(super) fn length(&self) -> SizeHint {
        match &self.kind {
            Kind::Service { body } => body.size_hint(),
            Kind::Server { bytes } => SizeHint::with_exact(
                bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            ),
            Kind::Nothing => SizeHint::with_exact(0),
        }
    }
}

impl<B> HttpBody for Answer<B>
where
    B: HttpBody,
    B::Error: Into<BoxError>,
{
    type Data = Piece<B::Data>;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        let this = self.project();
        let polled = match this.kind.project() {
            KindProject::Service { body } => ready!(body.poll_frame(cx))
                .map(|frame| frame.map(|frame| frame.map_data(Piece::Service)).map_err(Into::into)),
            KindProject::Server { bytes } => bytes.take().map(|bytes| Ok(Frame::data(Piece::Server(bytes)))),
            KindProject::Nothing => None,
        };
        match this.request.as_ref().and_then(|request| request.error()) {
            Some(error) => Poll::Ready(Some(Err(error.into()))),
            None => Poll::Ready(polled),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Service { body } => body.is_end_stream(),
            Kind::Server { bytes } => bytes.is_none(),
            Kind::Nothing => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length()
    }
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        match self {
            Self::Service(data) => data.remaining(),
            Self::Server(bytes) => bytes.remaining(),
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Service(data) => data.chunk(),
            Self::Server(bytes) => bytes.chunk(),
        }
    }

    fn chunks_vectored<'a>(&'a self, to: &mut [std::io::IoSlice<'a>]) -> usize {
        match self {
            Self::Service(data) => data.chunks_vectored(to),
            Self::Server(bytes) => bytes.chunks_vectored(to),
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Service(data) => data.advance(count),
            Self::Server(bytes) => bytes.advance(count),
        }
    }
}
