//! Functions that are too long to be read at once.

use super::Source;

/// The code is formatted, so a function ends at the first closing brace on the column where it began.
pub fn long(source: &Source, max: usize) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut faults = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if !is_function(line.trim_start()) || line.trim_end().ends_with(';') || line.trim_end().ends_with('}') {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| *line == closing).map_or(1, |end| end + 1);
        if length > max {
            faults.push(format!("{}:{}: a function of {length} lines; at most {max}", source.path, at + 1));
        }
    }
    faults
}

fn is_function(line: &str) -> bool {
    let mut rest = line;
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.starts_with("fn ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_from_name_to_brace() {
        let text = format!("impl A {{\n    pub async fn long() {{\n{}    }}\n}}\n", "        x();\n".repeat(9));
        let source = Source { path: "a.rs".into(), text };
        assert_eq!(long(&source, 11).len(), 0);
        assert_eq!(long(&source, 10).len(), 1);
    }
}
