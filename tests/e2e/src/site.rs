//! What a test of the product's semantics talks to, whether it is one node or a cluster.
//!
//! Each request for a connection or a client goes to the next node in turn, so that the devices of a test are spread
//! over the cluster. Tests about files or processes use a [`Node`] directly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use ringwire_test_redis::Server as Redis;
use serde_json::Value;

use crate::{Device, Http, Node, Settings};

/// Signs the tokens of a cluster, whose nodes have no key of their own.
const SECRET: &str = "a secret that all nodes of one test share";

/// Nodes of a cluster: with three, somebody is a stranger to both parties of an invitation.
const NODES: usize = 3;

/// One node, or several on one Redis.
pub struct Site {
    nodes: Vec<Node>,
    turn: AtomicUsize,
    /// Dropped after the nodes, which would complain of its end.
    redis: Option<Redis>,
}

impl Site {
    /// One node on the embedded store.
    pub async fn one_node(settings: Settings) -> Self {
        Self { nodes: vec![Node::start(settings).await], turn: AtomicUsize::new(0), redis: None }
    }

    /// Three nodes on a Redis that forgets everything when it ends.
    pub async fn three_nodes(settings: Settings) -> Self {
        Self::three_nodes_on(Redis::start(), settings).await
    }

    /// Three nodes on this Redis.
    pub async fn three_nodes_on(redis: Redis, settings: Settings) -> Self {
        Self::start(redis, settings, |_, settings| settings).await
    }

    /// Three nodes in the middle of an upgrade: the second one is of the next release.
    pub async fn of_two_releases(settings: Settings) -> Self {
        let upgraded = |number, settings: Settings| if number == 1 { settings.of_next_release() } else { settings };
        Self::start(Redis::start(), settings, upgraded).await
    }

    async fn start(redis: Redis, settings: Settings, of: impl Fn(usize, Settings) -> Settings) -> Self {
        let secret = settings.get("auth.hs256_secret").unwrap_or(SECRET).to_owned();
        let settings = settings.with("store.kind", "redis").with("store.redis.url", redis.url());
        let settings = settings.with("auth.hs256_secret", secret);
        let mut nodes = join_all((0..NODES).map(|number| Node::start(of(number, settings.clone())))).await;
        let tokens = nodes[0].tokens();
        for node in &mut nodes {
            node.share_tokens(&tokens);
        }
        Self { nodes, turn: AtomicUsize::new(0), redis: Some(redis) }
    }

    /// The next node in turn.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.nodes[self.turn.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }

    /// All nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes, to do something to one of them.
    #[must_use]
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// The Redis of a cluster.
    ///
    /// # Panics
    /// When this is one node.
    #[must_use]
    pub fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("a cluster has a Redis")
    }

    /// See [`Node::public`].
    #[must_use]
    pub fn public(&self) -> SocketAddr {
        self.node().public()
    }

    /// See [`Node::url`].
    #[must_use]
    pub fn url(&self) -> String {
        self.node().url()
    }

    /// See [`Node::token_with`].
    pub async fn token_with(&self, user: &str, arguments: &[&str]) -> String {
        self.node().token_with(user, arguments).await
    }

    /// See [`Node::token`].
    pub async fn token(&self, user: &str, role: Option<&str>) -> String {
        self.node().token(user, role).await
    }

    /// See [`Node::http`].
    pub async fn http(&self, user: &str) -> Http {
        self.node().http(user).await
    }

    /// See [`Node::server`].
    pub async fn server(&self) -> Http {
        self.node().server().await
    }

    /// See [`Node::connect`].
    pub async fn connect(&self, user: &str, device: &str) -> Device {
        self.node().connect(user, device).await
    }

    /// See [`Node::group`].
    pub async fn group(&self, group: &str, members: &[&str]) {
        self.node().group(group, members).await;
    }

    /// See [`Node::nothing_for`].
    pub async fn nothing_for<const N: usize>(&self, devices: [&mut Device; N]) {
        self.node().nothing_for(devices).await;
    }

    /// See [`Node::metric`]: the sum over all nodes.
    pub async fn metric(&self, name: &str) -> f64 {
        join_all(self.nodes.iter().map(|node| node.metric(name))).await.iter().sum()
    }

    /// The sum of a metric over the nodes that have it, because they have counted something.
    pub async fn sum(&self, name: &str) -> f64 {
        let counted = join_all(self.nodes.iter().map(|node| node.metric_if_any(name))).await;
        counted.into_iter().flatten().sum()
    }

    /// See [`Node::invitation`].
    pub async fn invitation(&self, user: &str, id: &str) -> Value {
        self.node().invitation(user, id).await
    }
}
