//! The console dies before and after the commit of each decision; asked again, it comes to the same end.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sever_private_servers::free_ports;
use sever_store::api_token::{self, NewToken};
use sever_tests::{DOUBLE_EVENTS, Fleet, FleetOptions, Leaver, Program, until};
use tempfile::TempDir;

/// How long a crash and what follows it may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The console that crashes, and two operators.
struct Console {
    program: Program,
    http: reqwest::Client,
    url: String,
    ready: String,
    tokens: [String; 2],
    _folder: TempDir,
}

impl Console {
    async fn start(fleet: &Fleet) -> Self {
        let [http, ops] = free_ports().unwrap();
        let folder = TempDir::new().unwrap();
        let environment = vec![
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            (
                "SEVER_DATABASE_URL".to_owned(),
                fleet.database.app_url().to_owned(),
            ),
            ("SEVER_HTTP_LISTEN".to_owned(), format!("127.0.0.1:{http}")),
            ("SEVER_OPS_LISTEN".to_owned(), format!("127.0.0.1:{ops}")),
        ];
        let program = Program::start("sever-console", folder.path(), environment).unwrap();
        let console = Self {
            program,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://127.0.0.1:{http}"),
            ready: format!("http://127.0.0.1:{ops}/readyz"),
            tokens: [token(fleet, "one").await, token(fleet, "two").await],
            _folder: folder,
        };
        console.is_ready().await;
        console
    }

    async fn is_ready(&self) {
        let ready = until("the console is ready", LIMIT, || async {
            let answer = self.http.get(&self.ready).send().await;
            Ok(answer
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(()))
        });
        ready
            .await
            .unwrap_or_else(|error| panic!("{error:#}\n{}", self.program.log().unwrap()));
    }

    async fn post(&self, operator: usize, path: &str, body: &Value) -> reqwest::Result<StatusCode> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let answer = request.bearer_auth(&self.tokens[operator]).send().await?;
        Ok(answer.status())
    }

    /// Decides with a crash at `point`, and once more afterwards. What was committed before the crash may be refused then.
    async fn crashes_at(&mut self, point: &str, operator: usize, path: &str, body: &Value) {
        assert!(self.program.stop().await.unwrap());
        self.program.set("SEVER_CRASH_AT", point);
        self.program.restart().unwrap();
        self.is_ready().await;
        let answer = self.post(operator, path, body).await;
        assert!(answer.is_err(), "{point}: answered {answer:?}");
        let died = std::cell::RefCell::new(&mut self.program);
        until(&format!("the console dies at {point}"), LIMIT, || async {
            Ok(died.borrow_mut().has_ended()?.then_some(()))
        })
        .await
        .unwrap();
        self.program.set("SEVER_CRASH_AT", "");
        self.program.restart().unwrap();
        self.is_ready().await;
        let again = self.post(operator, path, body).await.unwrap();
        let repeated = point.ends_with("after_commit") && again == StatusCode::CONFLICT;
        assert!(again.is_success() || repeated, "{point}: {again}");
    }
}

async fn token(fleet: &Fleet, name: &str) -> String {
    let store = fleet.database.store().unwrap();
    let mut client = store.client("making a token").await.unwrap();
    let tx = client.begin().await.unwrap();
    let scopes = [
        "opt-outs:read",
        "holds:decide",
        "tasks:write",
        "tasks:decide",
    ];
    let new = NewToken {
        name,
        scopes: &scopes,
        source: None,
        expires_at: None,
    };
    let (_, secret) = api_token::create(&tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    secret.expose().to_owned()
}

async fn leaver(fleet: &Fleet, number: usize) -> Leaver {
    let person = json!({"users": [{
        "login": format!("d{number}@example.com"), "first_name": "D", "last_name": number.to_string(), "sessions": 1,
        "groups": ["Staff"], "roles": [{"type": "HELP_DESK_ADMIN"}],
    }]});
    let account = fleet.simulator.seed(&person).await.unwrap().remove(0);
    fleet
        .person(&format!("D{number}"), &[&account])
        .await
        .unwrap()
}

async fn opt_out_of(fleet: &Fleet, leaver: &Leaver) -> String {
    let of = format!(
        "SELECT id FROM opt_out WHERE subject_id = '{}' AND kind = 'opt_out' ORDER BY opened_at LIMIT 1",
        leaver.subject
    );
    fleet.shows(&of, LIMIT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_commit_the_console_dies_at_the_decision_counts_once() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let staff = json!({"groups": [{"name": "Staff"}]});
    fleet.simulator.seed(&staff).await.unwrap();
    let mut console = Console::start(&fleet).await;
    let reason = json!({"reason": "checked with HR"});
    for (number, when) in ["before_commit", "after_commit"].into_iter().enumerate() {
        let gone = leaver(&fleet, 10 * number).await;
        let plan = json!({"person": {"id": gone.subject.0}, "intent": "remove"});
        console
            .crashes_at(&format!("plan.{when}"), 0, "/v1/plans", &plan)
            .await;

        let stays = leaver(&fleet, 10 * number + 1).await;
        fleet
            .leave_at(&stays, Duration::from_secs(3600))
            .await
            .unwrap();
        let path = format!("/v1/opt-outs/{}/cancel", opt_out_of(&fleet, &stays).await);
        console
            .crashes_at(&format!("cancel.{when}"), 0, &path, &reason)
            .await;

        let protected = leaver(&fleet, 10 * number + 2).await;
        let protect = format!(
            "INSERT INTO protected_principal (id, subject_id, kind, owner, reason) VALUES (gen_random_uuid(), '{}', 'break_glass', 'security', 'last resort')",
            protected.subject
        );
        fleet.database.sql(&protect).await.unwrap();
        fleet.leave(&protected).await.unwrap();
        let hold = fleet
            .shows("SELECT id FROM hold WHERE state = 'open'", LIMIT)
            .await
            .unwrap();
        let path = format!("/v1/holds/{hold}/release");
        console
            .crashes_at(&format!("release.{when}"), 0, &path, &reason)
            .await;

        fleet.leave(&gone).await.unwrap();
        let id = opt_out_of(&fleet, &gone).await;
        let closed = format!("SELECT 1 FROM opt_out WHERE id = '{id}' AND state = 'closed'");
        fleet.shows(&closed, LIMIT).await.unwrap();
        let path = format!("/v1/opt-outs/{id}/restore");
        console
            .crashes_at(&format!("restore.{when}"), 0, &path, &reason)
            .await;

        let asked = "SELECT step.id FROM step JOIN task ON task.step_id = step.id WHERE step.state = 'asked'";
        let task = fleet.shows(asked, LIMIT).await.unwrap();
        let evidence = json!({"evidence": "the manager agrees"});
        let done = format!("/v1/tasks/{task}/done");
        console
            .crashes_at(&format!("task.{when}"), 0, &done, &evidence)
            .await;
        let confirm = format!("/v1/tasks/{task}/confirm");
        console
            .crashes_at(&format!("task.{when}"), 1, &confirm, &json!({}))
            .await;
        let back = "SELECT count(*) FROM job WHERE kind = 'restore' AND state <> 'done' HAVING count(*) = 0";
        fleet.shows(back, LIMIT).await.unwrap();
    }
    fleet
        .jobs_come_to(&["done", "cancelled"], 8, LIMIT)
        .await
        .unwrap();
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
    assert_eq!(fleet.database.sql(DOUBLE_EVENTS).await.unwrap(), "");
}
