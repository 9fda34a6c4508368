use crate::Outcome;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::pipeline::text::Tokenizer;

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of a tokenizer, or of a pipeline that has one
    dir: PathBuf,
    /// Texts; each gives one line
    #[arg(required = true, allow_hyphen_values = true)]
    text: Vec<String>,
}

/// Prints the ids of each text, the start and the end token among them, no more than the text encoder takes.
pub fn run(args: &Args) -> Outcome {
    let tokenizer = Tokenizer::from_dir(&args.dir)?;
    for text in &args.text {
        let tokens = tokenizer.encode(text);
        output::line(serde_json::json!(tokens.ids));
        if !tokens.left_out.is_empty() {
            let (words, length) = (tokens.left_out.join(" "), tokenizer.length());
            eprintln!("warning: only {length} tokens fit, so this is left out: {words}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
