//! The tables of `docs/`: each stands between the command that makes it and an end mark.
//!
//! ```text
//! <!-- $ cargo unnoise list samplers --wide -->
//! | id | name |
//! <!-- end -->
//! ```

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{files, root, tools};

const BEGIN: &str = "<!-- $ ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";

/// Makes the tables anew: all, or those whose command contains `only`.
pub fn tables(only: Option<&str>) -> Result<()> {
    let pages = files::list(&root().join("docs"))?;
    for page in pages.into_iter().filter(|page| page.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(&page)?;
        let made = rewrite(&text, |command| {
            if only.is_some_and(|part| !command.contains(part)) {
                return Ok(None);
            }
            println!("{}: {command}", page.display());
            let mut words = command.split_whitespace();
            let program = words.next().context("a table without a command")?;
            tools::output(tools::command(program).args(words)).map(Some)
        });
        let made = made.with_context(|| page.display().to_string())?;
        if made != text {
            fs::write(&page, made)?;
        }
    }
    Ok(())
}

/// The page with what `make` answers to each command, or with the table that is there where it answers nothing.
fn rewrite(text: &str, mut make: impl FnMut(&str) -> Result<Option<String>>) -> Result<String> {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out += line;
        out += "\n";
        let Some(command) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(CLOSE)) else { continue };
        let old: Vec<_> = lines.by_ref().take_while(|line| *line != END).collect();
        let made = make(command)?.unwrap_or_else(|| old.join("\n"));
        if old.iter().any(|line| line.starts_with(BEGIN)) {
            bail!("the table of `{command}` has no line `{END}`");
        }
        out += made.trim_end();
        out += "\n";
        out += END;
        out += "\n";
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n<!-- $ make one -->\nold\n<!-- end -->\nprose\n<!-- $ make two -->\n<!-- end -->\n";

    #[test]
    fn a_table_is_replaced_and_the_rest_stays() {
        let made = rewrite(PAGE, |command| Ok((command == "make two").then(|| "new\n\n".to_owned()))).unwrap();
        assert_eq!(made, PAGE.replace("two -->\n", "two -->\nnew\n"));
    }

    #[test]
    fn a_table_without_an_end_is_an_error() {
        let page = PAGE.replacen("<!-- end -->\n", "", 1);
        assert!(rewrite(&page, |_| Ok(None)).unwrap_err().to_string().contains("make one"));
    }
}
