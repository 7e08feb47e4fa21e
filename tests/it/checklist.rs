//! What the compiler cannot ask of a new provider: its program, its container, and that somebody scrapes it.

use std::fs;
use std::path::Path;

use sever_domain::Provider;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_provider_has_its_program_its_container_and_its_scrape_job() {
    let compose = read("docker-compose.yml");
    let scraped = read("deploy/prometheus/prometheus.yml");
    for provider in Provider::ALL {
        let name = format!("worker-{provider}");
        let main = read(&format!("services/{name}/src/main.rs"));
        assert!(main.contains("sever_worker::serve"), "{name}: {main}");
        assert!(main.lines().count() < 30, "{name}: a main is one call");

        let service = compose.split_once(&format!("\n  {name}:\n"));
        let (_, service) = service.unwrap_or_else(|| panic!("docker-compose.yml has no {name}"));
        let service = service.split("\n\n").next().unwrap();
        assert!(service.contains(&format!("[sever-{name}]")), "{service}");
        let port = service.split("SEVER_OPS_LISTEN: 0.0.0.0:").nth(1).unwrap();
        let port = port.lines().next().unwrap();
        assert!(
            service.contains(&format!("127.0.0.1:{port}/readyz")),
            "{service}"
        );
        let job = format!(
            "- job_name: sever-{name}\n    static_configs: [{{ targets: [\"{name}:{port}\"] }}]"
        );
        assert!(scraped.contains(&job), "prometheus.yml lacks:\n{job}");
    }
}
