//! A proxy in front of the nodes: nginx, as `docs/deploy/several-nodes.md` has it.

use std::{
    env, fs,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{Cluster, address};

const MISSING: &str = "nginx is not installed, and these tests stand it in front of the nodes. \
    `cargo xtask test` installs it; by hand, on Debian or Ubuntu: sudo apt-get install nginx";
/// For it to listen.
const READY_IN_MAX: Duration = Duration::from_secs(20);

/// Takes turns between the nodes. A call that a node may have heard goes to no other one, unless
/// it only reads: that is nginx's own rule as long as `non_idempotent` is not asked for.
const CONFIGURATION: &str = r#"
daemon off;
pid FOLDER/pid;
error_log FOLDER/log;
worker_processes 1;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    upstream tokenry { SERVERS keepalive 64; }
    server {
        listen ADDRESS;
        location / {
            proxy_pass http://tokenry;
            proxy_bind HOST;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_next_upstream error timeout;
        }
    }
}
"#;

/// A running nginx, which ends when it is dropped.
pub(super) struct Proxy {
    base: String,
    child: Child,
    _folder: TempDir,
}

impl Proxy {
    /// A cluster on the database with this address, and the proxy that its nodes trust.
    pub(super) fn and_cluster(store: String) -> (Self, Cluster) {
        Self::and_cluster_with(store, &[])
    }

    /// The same with more settings.
    pub(super) fn and_cluster_with(store: String, more: &[(&str, &str)]) -> (Self, Cluster) {
        let address = address();
        let (host, _) = address.split_once(':').unwrap();
        let base = format!("http://{address}");
        let own = [("TOKENRY_BASE_URL", base.as_str()), ("TOKENRY_PROXY_TRUSTED", host)];
        let settings: Vec<_> = own.iter().chain(more).copied().collect();
        let cluster = Cluster::with(store, &settings);
        (Self::start(&address, &cluster.bases()), cluster)
    }

    fn start(address: &str, nodes: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let servers = nodes.iter().map(|base| {
            let address = base.strip_prefix("http://").unwrap();
            // One that was killed is asked again as soon as it may be back.
            format!("server {address} max_fails=1 fail_timeout=1s; ")
        });
        let configuration = CONFIGURATION
            .replace("FOLDER", folder.path().to_str().unwrap())
            .replace("SERVERS", &servers.collect::<String>())
            .replace("ADDRESS", address)
            .replace("HOST", address.split_once(':').unwrap().0);
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program());
        command.arg("-e").arg(folder.path().join("log")).arg("-c").arg(&file);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < READY_IN_MAX, "nginx does not start:\n{}", log());
            thread::sleep(Duration::from_millis(1));
        }
        Self { base: format!("http://{address}"), child, _folder: folder }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Killed it would leave its workers behind. It may have ended already.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Debian keeps it off the `PATH` of users.
fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut places = env::split_paths(&path).chain(system).map(|folder| folder.join("nginx"));
    places.find(|program| program.is_file()).unwrap_or_else(|| panic!("{MISSING}"))
}
