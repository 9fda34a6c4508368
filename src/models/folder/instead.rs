//! Files that people take for a model's folder, and what has to be done with them.

use super::{FolderError, OTHERS, SAFETENSORS, listed};

/// What a folder without a network's configuration holds instead.
pub fn instead(files: &[String]) -> FolderError {
    let found = |what: &dyn Fn(&str) -> bool| files.iter().find(|path| what(&path.to_lowercase())).cloned();
    let weights = |name: &str| name.ends_with(SAFETENSORS) || OTHERS.iter().any(|ending| name.ends_with(ending));
    let lora = |name: &str| weights(name) && (name.contains("lora") || name.contains("adapter_model"));
    if let Some(file) = found(&lora) {
        return FolderError::Lora(file);
    }
    if let Some(file) = found(&|name| name.ends_with(".gguf")) {
        return FolderError::Gguf(file);
    }
    match found(&|name| weights(name) && !name.contains('/')) {
        Some(file) => FolderError::Checkpoint(file),
        None => FolderError::NoConfig(listed(&files.iter().map(String::as_str).collect::<Vec<_>>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_is_named_with_a_way_on() {
        for (names, words) in [
            (&["v1-5.safetensors", "README.md"][..], ["v1-5.safetensors is a whole checkpoint", "from_single_file"]),
            (&["model.ckpt"], ["model.ckpt is a whole checkpoint", "save_pretrained"]),
            (&["pytorch_lora_weights.safetensors"], ["pytorch_lora_weights.safetensors is a LoRA", "fuse_lora"]),
            (&["adapter_config.json", "adapter_model.safetensors"], ["adapter_model.safetensors is a LoRA", "fuse"]),
            (&["README.md", "unet-Q4.GGUF"], ["unet-Q4.GGUF is a GGUF file", "save_pretrained"]),
            (&["notes.txt"], ["neither unet/config.json", "notes.txt"]),
        ] {
            let files: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let message = instead(&files).to_string();
            assert!(words.iter().all(|word| message.contains(word)), "{names:?}: {message}");
        }
    }
}
