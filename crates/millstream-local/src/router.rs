//! Which service answers a request, after the checks and faults that are common to all.

use std::sync::Arc;

use hyper::header::CONTENT_ENCODING;

use crate::api_error::ApiError;
use crate::auth::Auth;
use crate::cloudwatch::{CloudWatch, Protocol};
use crate::control::Control;
use crate::dynamodb::DynamoDb;
use crate::envelope;
use crate::faults::{FaultKind, Faults, Target};
use crate::format::Format;
use crate::http::{ApiCall, Body, DropAfter, Dropped, Incoming, Reply};
use crate::kinesis::{Kinesis, Region};
use crate::query::Form;
use crate::sts;

const KINESIS: &str = "Kinesis_20131202";
const DYNAMODB: &str = "DynamoDB_20120810";
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";

pub(crate) struct Router {
    pub(crate) auth: Auth,
    pub(crate) kinesis: Arc<Kinesis>,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) control: Control,
    pub(crate) faults: Arc<Faults>,
}

impl Router {
    pub(crate) async fn answer(&self, request: Incoming) -> Result<Reply, Dropped> {
        match request {
            Incoming::Health => {
                let body = br#"{"status":"running"}"#.to_vec();
                Ok(Reply { status: 200, content_type: "application/json", body: body.into() })
            }
            Incoming::Refused(refusal) => Ok(envelope::refused(refusal)),
            Incoming::Control(call) => Ok(self.control.answer(&call).await),
            Incoming::Call(call) => self.call(call).await,
        }
    }

    /// Ends the answers that would go on by themselves.
    pub(crate) async fn stop(&self) {
        self.kinesis.subscriptions().stop().await;
    }

    async fn call(&self, call: ApiCall) -> Result<Reply, Dropped> {
        let media_type = call.content_type();
        let (service, operation) = asked_for(&call, &media_type);
        let refusal = match service {
            Service::Kinesis(_) => envelope::refusal(&call, &media_type, Some(&operation)),
            Service::Unknown => envelope::refusal(&call, &media_type, None),
            _ => None,
        };
        if let Some(reply) = refusal {
            return Ok(reply);
        }
        let caller = self.auth.caller(&call).map_err(|error| match service {
            Service::Kinesis(format) => envelope::before_the_caller(format, &call.body, error),
            _ => error,
        });
        let fault = self.faults.take(&operation, || self.target_of(&service, &call.body));
        match &fault {
            Some(FaultKind::Latency(delay)) => tokio::time::sleep(*delay).await,
            Some(FaultKind::DropConnection) => return Err(Dropped),
            Some(FaultKind::Error { code, status, message }) if caller.is_ok() => {
                return Ok(service.error(ApiError::new(code.clone(), *status, message)));
            }
            _ => {}
        }
        let mut reply = match (service, caller) {
            (Service::Sts(form), caller) => sts::answer(&self.auth, caller, &form),
            (service, Err(error)) => service.error(error),
            (Service::DynamoDb, Ok(_)) => self.dynamodb.answer(&operation, call.body).await,
            (Service::CloudWatch(protocol), Ok(caller)) => {
                self.cloudwatch.answer(protocol, &caller.region, &operation, &call)
            }
            (Service::Kinesis(format), Ok(caller)) => {
                self.kinesis.answer(Region::from(caller.region), format, &operation, call.body).await
            }
            (Service::Unknown, Ok(_)) => Service::Unknown.error(ApiError::unknown_operation("")),
        };
        reply.body = match (fault, reply.body) {
            (Some(FaultKind::StopEventStream { after }), Body::Pieces { from, .. }) => {
                Body::Pieces { from, drop: Some(DropAfter::new(after)) }
            }
            (Some(FaultKind::Truncate { after }), body) => body.truncated(after).await,
            (_, body) => body,
        };
        Ok(reply)
    }

    fn target_of(&self, service: &Service, body: &[u8]) -> Target {
        match service {
            Service::Kinesis(format) => self.kinesis.target_of(*format, body),
            _ => Target::default(),
        }
    }
}

/// Who is to answer, and how the request is written.
enum Service {
    Kinesis(Format),
    DynamoDb,
    CloudWatch(Protocol),
    Sts(Form),
    Unknown,
}

impl Service {
    fn error(&self, error: ApiError) -> Reply {
        match self {
            Self::Kinesis(format) => error.into_reply(*format),
            Self::DynamoDb => error.into_reply(crate::dynamodb::FORMAT),
            Self::CloudWatch(protocol) => protocol.error(error),
            Self::Sts(_) => sts::error(&error),
            Self::Unknown => error.into_reply(Format::Json11),
        }
    }
}

/// The service and the operation that a request is for, by its target, its path or its form.
fn asked_for(call: &ApiCall, media_type: &str) -> (Service, String) {
    if let Some(path) = call.parts.uri.path().strip_prefix("/service/") {
        let (service, operation) = path.split_once("/operation/").unwrap_or_default();
        let service = if service == CLOUDWATCH { Service::CloudWatch(Protocol::RpcCbor) } else { Service::Unknown };
        return (service, operation.to_owned());
    }
    let (service, operation) = call.target().split_once('.').unwrap_or_default();
    let service = match service {
        KINESIS if media_type == Format::Cbor11.content_type() => Service::Kinesis(Format::Cbor11),
        KINESIS => Service::Kinesis(Format::Json11),
        DYNAMODB => Service::DynamoDb,
        CLOUDWATCH => Service::CloudWatch(Protocol::Json),
        _ if media_type == "application/x-www-form-urlencoded" => return of_form(call),
        _ => Service::Unknown,
    };
    (service, operation.to_owned())
}

/// A form with the data of metrics is CloudWatch's; it may be compressed, and no form of STS is.
fn of_form(call: &ApiCall) -> (Service, String) {
    let form = Form::read(&call.body);
    let operation = form.action.clone();
    if operation == "PutMetricData" || call.header(CONTENT_ENCODING.as_str()).is_some() {
        return (Service::CloudWatch(Protocol::Query), "PutMetricData".to_owned());
    }
    if operation.is_empty() {
        return (Service::Unknown, operation);
    }
    (Service::Sts(form), operation)
}
