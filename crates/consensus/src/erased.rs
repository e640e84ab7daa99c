//! An application without its type, so that the engine is compiled once, in this crate, and not
//! again with every change of the application.

use crate::{
    application::{Application, Proposal},
    block::{Block, Header},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::sync::Arc;

trait Erased: Send + Sync {
    fn durable_height(&self) -> u64;
    fn propose<'a>(
        &'a self,
        parent: &'a Header,
        pending: &'a [Block],
    ) -> BoxFuture<'a, Option<Proposal>>;
    fn verify<'a>(&'a self, block: &'a Block, parent: &'a Header) -> BoxFuture<'a, bool>;
    fn finalized(&self, block: Block) -> BoxFuture<'_, ()>;
    fn heard(&self, messages: Vec<Bytes>);
}

impl<A: Application> Erased for A {
    fn durable_height(&self) -> u64 {
        Application::durable_height(self)
    }

    fn propose<'a>(
        &'a self,
        parent: &'a Header,
        pending: &'a [Block],
    ) -> BoxFuture<'a, Option<Proposal>> {
        let mut clone = self.clone();
        Box::pin(async move { Application::propose(&mut clone, parent, pending).await })
    }

    fn verify<'a>(&'a self, block: &'a Block, parent: &'a Header) -> BoxFuture<'a, bool> {
        let mut clone = self.clone();
        Box::pin(async move { Application::verify(&mut clone, block, parent).await })
    }

    fn finalized(&self, block: Block) -> BoxFuture<'_, ()> {
        let mut clone = self.clone();
        Box::pin(async move { Application::finalized(&mut clone, block).await })
    }

    fn heard(&self, messages: Vec<Bytes>) {
        Application::heard(self, messages);
    }
}

/// Any application.
#[derive(Clone)]
pub(crate) struct AnyApplication(Arc<dyn Erased>);

impl AnyApplication {
    pub(crate) fn new(application: impl Application) -> Self {
        Self(Arc::new(application))
    }
}

impl Application for AnyApplication {
    fn durable_height(&self) -> u64 {
        self.0.durable_height()
    }

    async fn propose(&mut self, parent: &Header, pending: &[Block]) -> Option<Proposal> {
        self.0.propose(parent, pending).await
    }

    async fn verify(&mut self, block: &Block, parent: &Header) -> bool {
        self.0.verify(block, parent).await
    }

    async fn finalized(&mut self, block: Block) {
        self.0.finalized(block).await;
    }

    fn heard(&self, messages: Vec<Bytes>) {
        self.0.heard(messages);
    }
}
