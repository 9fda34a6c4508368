//! The files of a model, which JavaScript reads.

use crate::models::folder::FolderError;
use crate::pipeline::Source;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const FILES: &str = r#"
/** The files of a model's folder, and of folders beside it, whose paths begin with `../` and their names. */
export interface Files {
    list(): Promise<string[]>;
    read(path: string): Promise<Uint8Array>;
    /** How many bytes a file has; `null` where that is not known before it is read. */
    size(path: string): Promise<number | null>;
    /** The bytes of a file from one place to another. Weights are read forward, file by file, a few megabytes at a time. */
    range(path: string, from: number, to: number): Promise<Uint8Array>;
}
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Files")]
    #[derive(Clone)]
    pub type Files;
    #[wasm_bindgen(method, catch)]
    async fn list(this: &Files) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn read(this: &Files, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn size(this: &Files, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn range(this: &Files, path: &str, from: f64, to: f64) -> Result<JsValue, JsValue>;
}

/// A folder whose files JavaScript reads.
#[derive(Clone)]
pub struct JsSource {
    files: Files,
    /// What leads from the model's folder to this one.
    prefix: String,
    /// What was thrown instead of an answer.
    thrown: Rc<RefCell<Option<JsValue>>>,
}

/// The way to the folder of all models.
const UP: &str = "../";

impl JsSource {
    pub fn new(files: Files) -> Self {
        Self { files, prefix: String::new(), thrown: Rc::default() }
    }

    /// What was thrown, if something was: it says more than an error that was made of it.
    pub fn thrown(&self) -> Option<JsValue> {
        self.thrown.take()
    }

    fn failed(&self, path: &str, thrown: JsValue) -> FolderError {
        let why = thrown.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| error.message().into());
        self.thrown.replace(Some(thrown));
        FolderError::Unreadable { path: path.to_owned(), why }
    }
}

impl Source for JsSource {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        let listed = self.files.list().await.map_err(|thrown| self.failed(&self.prefix, thrown))?;
        let paths: Vec<String> = js_sys::Array::from(&listed).iter().filter_map(|path| path.as_string()).collect();
        let own = paths.into_iter().filter_map(|path| path.strip_prefix(&self.prefix).map(str::to_owned));
        Ok(own.filter(|path| !path.starts_with(UP)).collect())
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        let path = format!("{}{path}", self.prefix);
        let bytes = self.files.read(&path).await.map_err(|thrown| self.failed(&path, thrown))?;
        Ok(js_sys::Uint8Array::new(&bytes).to_vec())
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FolderError> {
        let path = format!("{}{path}", self.prefix);
        let size = self.files.size(&path).await.map_err(|thrown| self.failed(&path, thrown))?;
        Ok(size.as_f64().map(|size| size as u64))
    }

    async fn range(&self, path: &str, from: u64, into: &mut [u8]) -> Result<(), FolderError> {
        let path = format!("{}{path}", self.prefix);
        let (from, to) = (from as f64, (from + into.len() as u64) as f64);
        let bytes = self.files.range(&path, from, to).await.map_err(|thrown| self.failed(&path, thrown))?;
        let bytes = js_sys::Uint8Array::new(&bytes);
        if bytes.length() as usize != into.len() {
            return Err(FolderError::Short { path });
        }
        bytes.copy_to(into);
        Ok(())
    }

    fn beside(&self, name: &str) -> Self {
        Self { prefix: format!("{UP}{name}/"), ..self.clone() }
    }
}
