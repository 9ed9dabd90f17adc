//! `corepost route ...`

use std::io::Write;

use super::Program;
use super::arguments::Route;
use super::target::Target;
use crate::admin::{AdminReply, AdminRequest, RouteLine, RouteRequest};

pub(super) fn execute(
    command: Route,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    let text = match command {
        Route::Set {
            source,
            target,
            server,
        } => {
            let request = AdminRequest::Route(RouteRequest::Set { source, target });
            return Target::open(&server, program)?.ask(request).map(drop);
        }
        Route::Remove { source, server } => {
            let request = AdminRequest::Route(RouteRequest::Remove { source });
            return Target::open(&server, program)?.ask(request).map(drop);
        }
        Route::Show { json, server } => {
            let routes = all(&mut Target::open(&server, program)?)?;
            if json {
                serde_json::to_string(&routes).map_err(|error| error.to_string())? + "\n"
            } else {
                routes.iter().map(human).collect()
            }
        }
        Route::Test { address, server } => {
            let request = AdminRequest::Route(RouteRequest::Test { name: address });
            let reply = Target::open(&server, program)?.ask(request)?;
            let AdminReply::Route { via, end } = reply else {
                return Err("the server's answer was not understood".to_owned());
            };
            let lines = via.into_iter().chain([end]);
            lines.map(|line| line + "\n").collect()
        }
    };
    output
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

fn all(target: &mut Target) -> Result<Vec<RouteLine>, String> {
    let mut all: Vec<RouteLine> = Vec::new();
    loop {
        let after = all.last().map(|line| line.source.clone());
        let request = AdminRequest::Route(RouteRequest::List {
            after: after.unwrap_or_default(),
        });
        let AdminReply::Routes { routes } = target.ask(request)? else {
            return Err("the server's answer was not understood".to_owned());
        };
        if routes.is_empty() {
            return Ok(all);
        }
        all.extend(routes);
    }
}

/// As the table is thought of: `<source> = target`.
fn human(line: &RouteLine) -> String {
    format!("<{}> = {}\n", line.source, line.target)
}
