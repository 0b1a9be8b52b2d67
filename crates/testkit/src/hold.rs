//! A request that is stopped in the middle of its way, until a test lets it go on.

use tokio::sync::oneshot;

/// The test's side of a stopped request.
pub struct Hold {
    arrived: Option<oneshot::Receiver<()>>,
    release: Option<oneshot::Sender<()>>,
}

/// The server's side.
pub(crate) struct Held {
    pub(crate) operation: &'static str,
    pub(crate) key_suffix: String,
    arrived: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

impl Held {
    /// Says that the request is there, and waits until it may go on. A hold that the test dropped holds nobody.
    pub(crate) async fn wait(self) {
        if self.arrived.send(()).is_ok() {
            let _ = self.released.await;
        }
    }
}

pub(crate) fn hold(operation: &'static str, key_suffix: &str) -> (Hold, Held) {
    let (arrive, arrived) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let hold = Hold {
        arrived: Some(arrived),
        release: Some(release),
    };
    let held = Held {
        operation,
        key_suffix: key_suffix.to_owned(),
        arrived: arrive,
        released,
    };
    (hold, held)
}

impl Hold {
    /// Waits until the request is there. It is not applied yet.
    pub async fn arrived(&mut self) {
        let arrived = self.arrived.take().expect("one wait for one arrival");
        arrived.await.expect("the server runs");
    }

    /// Lets it go on. A hold that is dropped lets it go on too.
    pub fn release(mut self) {
        let release = self.release.take().expect("one release");
        // The client may have given up in the meantime; then nobody waits.
        let _ = release.send(());
    }
}
