//! A folder that is gone when the program ends.

use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// A folder of this process in the system's temporary one.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(purpose: &str) -> anyhow::Result<Self> {
        let name = format!("duet-{purpose}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // A process of the same number that was killed may have left one.
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is swept with the temporary folder.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
