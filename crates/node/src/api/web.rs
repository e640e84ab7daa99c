//! The built web page, from memory: read once at the start, so that no request names a file.

use super::problem::ApiProblem;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use duet_ledger::hash;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The most bytes of all files together.
const PAGE_BYTES_MAX: u64 = 64 << 20;
/// Files below this folder have a hash of their content in their names.
const HASHED: &str = "/assets/";
/// The file that answers for every path of the page's own.
const INDEX: &str = "/index.html";

/// A file of the page.
#[derive(Debug)]
struct Asset {
    body: Bytes,
    kind: &'static str,
    etag: String,
    caching: &'static str,
}

/// The files of the page by path; none if the node serves no page.
#[derive(Clone, Debug, Default)]
pub(super) struct Assets(Arc<BTreeMap<String, Asset>>);

impl Assets {
    /// Reads all files below `folder`.
    pub(super) fn load(folder: Option<&Path>) -> io::Result<Self> {
        let mut assets = BTreeMap::new();
        let mut left = PAGE_BYTES_MAX;
        let mut folders: Vec<PathBuf> = folder.map(Path::to_owned).into_iter().collect();
        while let (Some(root), Some(next)) = (folder, folders.pop()) {
            for entry in fs::read_dir(next)? {
                let (path, kind) =
                    entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
                if kind.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(root).ok().and_then(Path::to_str);
                let (true, Some(name)) = (kind.is_file(), name) else { continue };
                left = left.checked_sub(fs::metadata(&path)?.len()).ok_or_else(|| {
                    io::Error::other(format!("the page is larger than {PAGE_BYTES_MAX} bytes"))
                })?;
                let name = format!("/{}", name.replace('\\', "/"));
                let asset = Asset::new(&name, fs::read(&path)?);
                assets.insert(name, asset);
            }
        }
        Ok(Self(Arc::new(assets)))
    }

    /// The file for a path: itself, or the page for a path that only the page knows.
    fn find(&self, path: &str) -> Option<&Asset> {
        let page = || {
            let names_a_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
            let reserved = path == "/v1" || path.starts_with("/v1/") || path.starts_with("/docs");
            if names_a_file || reserved { None } else { self.0.get(INDEX) }
        };
        self.0.get(path).or_else(page)
    }
}

impl Asset {
    fn new(name: &str, content: Vec<u8>) -> Self {
        let digest = hash(b"duet/asset/v1", &[&content]);
        let etag: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let caching = if name.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        Self { body: content.into(), kind: kind(name), etag: format!("\"{etag}\""), caching }
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Serves a file of the page, or says that there is no such resource.
pub(super) async fn serve(State(assets): State<Assets>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(asset) = assets.find(uri.path()) else {
        return ApiProblem::not_found("resource", uri.path()).into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let fresh = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.etag));
    let caching = [(header::ETAG, asset.etag.as_str()), (header::CACHE_CONTROL, asset.caching)];
    if fresh {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, asset.kind)], asset.body.clone()).into_response()
}
