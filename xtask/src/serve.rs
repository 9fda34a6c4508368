//! The page, the engines and the models over HTTP, to this machine alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::models;

/// Takes the port on 127.0.0.1; port 0 is any free one.
pub fn listen(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is taken, perhaps by another `cargo xtask serve`: stop that program or choose a port with --port"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on 127.0.0.1:{port}")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The site of the repository at `root`, laid out as `dist` lays it out, but read from where it is edited.
pub fn site(root: &Path) -> Router {
    let index = ServeFile::new(root.join("index.html"));
    let models = root.join("models");
    let listed = models.clone();
    let site = Router::new()
        .route_service("/", index.clone())
        .route_service("/index.html", index)
        .nest_service("/www", ServeDir::new(root.join("www")))
        .nest_service("/pkg", ServeDir::new(root.join("pkg")).precompressed_br().precompressed_gzip())
        .route("/models/index.json", get(move || async move { list(&listed) }))
        .nest_service("/models", ServeDir::new(models));
    in_words(site)
}

/// Any folder of static files under a path, as a web host would serve it.
pub fn folder(folder: &Path, under: &str) -> Router {
    in_words(Router::new().nest_service(under, ServeDir::new(folder).precompressed_br().precompressed_gzip()))
}

/// Serves until the program ends.
pub fn serve(listener: TcpListener, site: Router) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime
        .block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, site).await })
        .context("the server stopped")
}

/// Serves on a free port as long as the program runs, and says where.
pub fn serve_behind(site: Router) -> Result<SocketAddr> {
    let listener = listen(0)?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        if let Err(error) = serve(listener, site) {
            eprintln!("error: {error:#}");
        }
    });
    Ok(address)
}

/// The list is made for each request, so that it is right after a model has changed.
fn list(models: &Path) -> Response {
    match models::index(models) {
        Ok(index) => ([(header::CONTENT_TYPE, "application/json")], index).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
    }
}

/// What a page cannot say of itself in its markup; docs/hosting.md has the same for other servers. No header says who may put
/// the page into a frame: everybody may.
const HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
];

/// A worker has the policy that its script came with, and none of the page's.
const WORKERS: (&str, &str) = (
    "content-security-policy",
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' data: blob:; object-src 'none'; base-uri 'none'",
);

/// Lets no answer be reused unasked, so that a reload is always right, and says in words what is not there.
fn in_words(site: Router) -> Router {
    let reload = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    site.layer(middleware::from_fn(not_found)).layer(middleware::from_fn(guarded)).layer(reload)
}

async fn guarded(request: Request, next: Next) -> Response {
    let script = request.uri().path().ends_with(".js");
    let mut response = next.run(request).await;
    for (name, value) in HEADERS.into_iter().chain(script.then_some(WORKERS)) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn not_found(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    match response.status() {
        StatusCode::NOT_FOUND => (StatusCode::NOT_FOUND, format!("There is nothing at {path}.\n")).into_response(),
        _ => response,
    }
}

#[cfg(test)]
mod tests;
