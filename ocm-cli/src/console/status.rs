use console::Term;
#[cfg(test)]
use indicatif::TermLike;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the screen is drawn at most, in times a second.
const DRAWS_PER_SECOND: u8 = 10;

/// Lines at the bottom of a terminal that are drawn again and again.
///
/// What they say is computed elsewhere, from values only; this is what gets it onto the screen.
#[derive(Debug)]
pub(crate) struct Status(Option<Area>);

#[derive(Debug)]
struct Area {
    bar: ProgressBar,
    width: Width,
}

#[derive(Debug)]
enum Width {
    Of(Term),
    #[cfg(test)]
    Fixed(usize),
}

impl Status {
    /// Returns one that shows nothing.
    pub(crate) fn hidden() -> Self {
        Self(None)
    }

    /// Returns one at the bottom of the terminal behind stderr.
    pub(crate) fn on_stderr() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        Self(Some(Area { bar: bar(target), width: Width::Of(Term::stderr()) }))
    }

    /// Returns one on a terminal of another's making.
    #[cfg(test)]
    pub(crate) fn on(terminal: Box<dyn TermLike>, width: usize) -> Self {
        let target = ProgressDrawTarget::term_like(terminal);
        Self(Some(Area { bar: bar(target), width: Width::Fixed(width) }))
    }

    /// Returns whether it shows anything.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// Returns how many columns there are, or `otherwise`.
    pub(crate) fn width(&self, otherwise: usize) -> usize {
        match self.0.as_ref().map(|area| &area.width) {
            Some(Width::Of(terminal)) => {
                terminal.size_checked().map_or(otherwise, |(_, columns)| columns.into())
            }
            #[cfg(test)]
            Some(Width::Fixed(width)) => *width,
            None => otherwise,
        }
    }

    /// Replaces the lines.
    ///
    /// The first is empty: Ctrl-C makes a terminal write `^C` below the last one, so that the first
    /// is out of reach when they are taken away.
    pub(crate) fn show(&self, lines: &[String]) {
        if let Some(area) = &self.0 {
            area.bar.set_message(format!("\n{}", lines.join("\n")));
        }
    }

    /// Removes the lines.
    pub(crate) fn clear(&self) {
        if let Some(area) = &self.0 {
            area.bar.set_message("");
            area.bar.finish_and_clear();
            area.bar.reset();
        }
    }

    /// Takes the lines away while `print` writes above them.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        match &self.0 {
            Some(area) => area.bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(target: ProgressDrawTarget) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").expect("the template names one key");
    ProgressBar::with_draw_target(None, target).with_style(style)
}
