//! Command lines of the examples: `--name value`, flags, and the rest.

use std::collections::BTreeMap;

use ringwire_client::{Builder, Client};

/// Where a node listens that was started without a configuration.
const URL: &str = "ws://127.0.0.1:7700/v1/connect";

/// A command line, taken apart.
pub(crate) struct Args {
    values: BTreeMap<String, String>,
    /// What belongs to no option.
    pub(crate) rest: Vec<String>,
}

impl Args {
    /// Takes the command line apart, or prints `usage` and exits.
    pub(crate) fn parse(usage: &str, options: &[&str]) -> Self {
        match Self::read(std::env::args().skip(1), options) {
            Ok(Some(args)) => args,
            Ok(None) => {
                println!("{usage}");
                std::process::exit(0)
            }
            Err(problem) => fail(&format!("{problem}; see --help")),
        }
    }

    fn read(mut words: impl Iterator<Item = String>, options: &[&str]) -> Result<Option<Self>, String> {
        let (mut values, mut rest) = (BTreeMap::new(), Vec::new());
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                if word == "-h" {
                    return Ok(None);
                }
                rest.push(word);
                continue;
            };
            let (name, given) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            if name == "help" {
                return Ok(None);
            }
            if !options.contains(&name) && !["url", "token", "device"].contains(&name) {
                return Err(format!("there is no option --{name}"));
            }
            let value = given.or_else(|| words.next()).ok_or_else(|| format!("--{name} needs a value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Some(Self { values, rest }))
    }

    /// The value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A client of the servers that the command line names.
    pub(crate) fn client(&self) -> Builder {
        let mut urls = self.value("url").unwrap_or(URL).split(',');
        // Splitting gives at least one part.
        let first = Client::builder(urls.next().unwrap_or(URL));
        urls.fold(first, Builder::fallback_url)
    }

    /// The token, also from the environment.
    pub(crate) fn token(&self) -> String {
        let token = self.value("token").map(str::to_owned).or_else(|| std::env::var("RINGWIRE_TOKEN").ok());
        token.unwrap_or_else(|| fail("a token is required: --token or RINGWIRE_TOKEN; make one with `ringwire token`"))
    }
}

/// Says what is wrong, and exits.
pub(crate) fn fail(problem: &str) -> ! {
    eprintln!("{problem}");
    std::process::exit(2)
}
