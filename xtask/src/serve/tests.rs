use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tempfile::TempDir;

use super::*;

const WASM: &[u8] = b"\0asm\x01\0\0\0";
const BROTLI: &[u8] = b"compressed";

/// A small repository in a folder of its own.
fn repository() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, bytes) in [
        ("index.html", &b"<title>unnoise</title>"[..]),
        ("secret.txt", b"secret"),
        ("www/main.js", b"import './state.js';"),
        ("pkg/unnoise_cpu_bg.wasm", WASM),
        ("pkg/unnoise_cpu_bg.wasm.br", BROTLI),
        (
            "models/dots/unnoise.json",
            r#"{"name":{"en":"Dots","zh":"点"},"description":{"en":"","zh":""},"clip":true}"#.as_bytes(),
        ),
        ("models/dots/unet/config.json", b"{}"),
        ("models/dots/unet/diffusion_pytorch_model.safetensors", b"weights"),
        ("models/dots/scheduler/scheduler_config.json", b"{}"),
        ("models/dots/README.md", b"# Dots"),
        ("models/selftest/config.json", b"{}"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

/// What the server answers, word for word: a client library would tidy the path up first.
fn get(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

#[test]
fn serves_each_kind_of_file_as_what_it_is() {
    let root = repository();
    let address = serve_behind(site(root.path())).unwrap();
    for (path, kind) in [
        ("/", "text/html"),
        ("/?lang=zh", "text/html"),
        ("/www/main.js", "text/javascript"),
        ("/pkg/unnoise_cpu_bg.wasm", "application/wasm"),
        ("/models/index.json", "application/json"),
        ("/models/dots/unet/config.json", "application/json"),
    ] {
        let (head, _) = get(address, path, "");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(head.contains("cache-control: no-cache"), "{path}: {head}");
        assert!(
            head.contains("x-content-type-options: nosniff") && head.contains("referrer-policy:"),
            "{path}: {head}"
        );
        assert_eq!(head.contains("content-security-policy:"), path.ends_with(".js"), "{path}: {head}");
    }
}

#[test]
fn sends_the_compressed_form_to_who_accepts_it() {
    let root = repository();
    let address = serve_behind(site(root.path())).unwrap();
    let (head, body) = get(address, "/pkg/unnoise_cpu_bg.wasm", "Accept-Encoding: gzip, br\r\n");
    assert!(head.contains("content-encoding: br") && head.contains("content-type: application/wasm"), "{head}");
    assert_eq!(body, BROTLI);
    let (head, body) = get(address, "/pkg/unnoise_cpu_bg.wasm", "");
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(body, WASM);
}

#[test]
fn a_reload_is_short_when_nothing_changed_and_right_when_something_did() {
    let root = repository();
    let address = serve_behind(site(root.path())).unwrap();
    let (head, _) = get(address, "/www/main.js", "");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an ETag");
    let condition = format!("If-None-Match: {tag}\r\n");
    assert!(get(address, "/www/main.js", &condition).0.starts_with("HTTP/1.1 304"));
    fs::write(root.path().join("www/main.js"), "import './paint.js';").unwrap();
    let (head, body) = get(address, "/www/main.js", &condition);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, b"import './paint.js';");
}

#[test]
fn says_in_words_what_is_not_there_and_serves_nothing_else() {
    let root = repository();
    let address = serve_behind(site(root.path())).unwrap();
    for path in [
        "/missing",
        "/secret.txt",
        "/www/../secret.txt",
        "/www/%2e%2e/secret.txt",
        "/www/..%2fsecret.txt",
        "/www//secret.txt",
        "/pkg/unnoise_webgpu.js",
        "/www/",
    ] {
        let (head, body) = get(address, path, "");
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
        assert_eq!(String::from_utf8(body).unwrap(), format!("There is nothing at {path}.\n"));
    }
}

#[test]
fn lists_the_models_that_have_a_card() {
    let root = repository();
    let (_, body) = get(serve_behind(site(root.path())).unwrap(), "/models/index.json", "");
    let rows: serde_json::Value = serde_json::from_slice(&body).unwrap();
    // The checksum of `{}`.
    let checksum = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!(rows[0]["id"], "dots");
    assert_eq!(rows[0]["name"]["zh"], "点");
    assert_eq!(rows[0]["files"]["unet/config.json"], serde_json::json!({ "bytes": 2, "sha256": checksum }));
    assert_eq!(rows[0]["files"].as_object().map(serde_json::Map::len), Some(4), "{rows}");
}

#[test]
fn a_taken_port_is_explained() {
    let taken = listen(0).unwrap();
    let port = taken.local_addr().unwrap().port();
    let message = listen(port).unwrap_err().to_string();
    assert!(message.starts_with(&format!("port {port} is taken")) && message.contains("--port"), "{message}");
}
