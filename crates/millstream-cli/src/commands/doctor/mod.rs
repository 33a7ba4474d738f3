//! `millstream doctor`: what keeps a program from reading, and how to mend it. One check a file.

mod access;
mod clock;
mod credentials;
mod endpoints;
mod finding;
mod identity;
mod limits;
mod place;
mod region;
mod stream;
mod table;

use clap::Args;

use self::finding::{State, row};
use self::place::Place;
use crate::aws::AwsArgs;
use crate::error::CliError;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream doctor --endpoint-url http://127.0.0.1:4566\n  \
    millstream doctor --stream orders --application my-app --region eu-west-1\n\n\
    Nothing is changed: permissions to write are tried with writes whose conditions can't be met. Exit code 1: something is wrong.\n\n\
    IAM actions: those of a worker, which are tried (docs/commands.md), and sts:GetCallerIdentity, which needs none")]
pub(crate) struct DoctorArgs {
    /// Stream that is to be read.
    #[arg(long)]
    stream: Option<String>,
    /// Application that reads it: the name of its lease table.
    #[arg(long)]
    application: Option<String>,
    /// How the findings are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    aws: AwsArgs,
}

/// Makes all checks and prints a line each.
pub(crate) async fn run(args: DoctorArgs) -> Result<(), CliError> {
    let mut place = Place::of(args.stream.clone(), args.application.clone(), &args.aws).await?;
    let mut findings = vec![region::check(&args.aws), credentials::check(&place).await];
    // Without credentials no service answers anything of use.
    if findings.iter().all(|finding| finding.state != State::Wrong) {
        let identity = identity::ask(&place).await;
        findings.push(identity::check(&identity));
        findings.push(clock::check(&identity));
        findings.extend(endpoints::check(&mut place).await);
    }
    if place.kinesis_answers {
        findings.extend(stream::check(&place).await);
        findings.extend(limits::check(&place).await);
        findings.extend(access::of_stream(&place).await);
    }
    if place.dynamodb_answers {
        findings.extend(table::check(&place).await);
        findings.extend(access::of_table(&place).await);
    }
    args.output.print(&findings, row, finding::table)?;
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong).count();
    if wrong == 0 { Ok(()) } else { Err(CliError::Unwell { wrong }) }
}
