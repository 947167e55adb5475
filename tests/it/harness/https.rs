//! A server of somebody else's: https under an authority of its own, as an operator's might be.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{Request, Response};
use futures_util::FutureExt;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// A port of localhost, and the certificate for it.
pub struct Https {
    pub port: u16,
    /// The authority that its certificate is of.
    pub authority: CertificateDer<'static>,
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Https {
    pub async fn bind() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, authority: made.cert.der().clone(), listener, tls: TlsAcceptor::from(Arc::new(tls)) }
    }

    /// Answers requests until the handle is dropped, and with it every connection.
    pub fn serve<A, F>(self, answer: A) -> AbortOnDropHandle<()>
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send,
    {
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = self.listener.accept().await.unwrap();
                let (tls, answer) = (self.tls.clone(), answer.clone());
                connections.spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let answer = service_fn(move |request| answer(request).map(Ok::<_, Infallible>));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        }))
    }
}
