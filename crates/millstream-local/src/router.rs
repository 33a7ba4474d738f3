//! Which service answers a request, after the checks and faults that are common to all.

use std::sync::Arc;

use crate::api_error::ApiError;
use crate::control::Control;
use crate::dynamodb::DynamoDb;
use crate::faults::{FaultKind, Faults, Target};
use crate::format::Format;
use crate::http::{ApiCall, Body, DropAfter, Dropped, Incoming, Refusal, Reply};
use crate::kinesis::{Kinesis, Region};

const KINESIS: &str = "Kinesis_20131202";
const DYNAMODB: &str = "DynamoDB_20120810";

pub(crate) struct Router {
    kinesis: Arc<Kinesis>,
    dynamodb: DynamoDb,
    control: Control,
    faults: Arc<Faults>,
}

impl Router {
    pub(crate) fn new(kinesis: Arc<Kinesis>, dynamodb: DynamoDb, faults: Arc<Faults>) -> Self {
        Self { kinesis, dynamodb, control: Control::new(Arc::clone(&faults)), faults }
    }

    pub(crate) async fn answer(&self, request: Incoming) -> Result<Reply, Dropped> {
        match request {
            Incoming::Health => {
                let body = br#"{"status":"running"}"#.to_vec();
                Ok(Reply { status: 200, content_type: "application/json", body: body.into() })
            }
            Incoming::Refused(refusal) => Ok(refused(refusal)),
            Incoming::Control(call) => Ok(self.control.answer(&call)),
            Incoming::Call(call) => self.call(call).await,
        }
    }

    /// Ends the answers that would go on by themselves.
    pub(crate) async fn stop(&self) {
        self.kinesis.subscriptions().stop().await;
    }

    async fn call(&self, call: ApiCall) -> Result<Reply, Dropped> {
        let (service, operation) = call.target.split_once('.').unwrap_or_default();
        let format = format_of(&call, service);
        let region = match checked(&call, service) {
            Ok(region) => region,
            Err(error) => return Ok(error.into_reply(format)),
        };
        let fault = self.faults.take(operation, || self.target_of(service, format, &call.body));
        match &fault {
            Some(FaultKind::Latency(delay)) => tokio::time::sleep(*delay).await,
            Some(FaultKind::DropConnection) => return Err(Dropped),
            Some(FaultKind::Error { code, status, message }) => {
                return Ok(ApiError::new(code.clone(), *status, message).into_reply(format));
            }
            Some(FaultKind::Truncate { .. } | FaultKind::StopEventStream { .. }) | None => {}
        }
        let body = call.body.clone();
        let mut reply = match service {
            DYNAMODB => self.dynamodb.answer(operation, body).await,
            _ => self.kinesis.answer(region, format, operation, body).await,
        };
        reply.body = match (fault, reply.body) {
            (Some(FaultKind::StopEventStream { after }), Body::Pieces { from, .. }) => {
                Body::Pieces { from, drop: Some(DropAfter::new(after)) }
            }
            (Some(FaultKind::Truncate { after }), body) => body.truncated(after),
            (_, body) => body,
        };
        Ok(reply)
    }

    fn target_of(&self, service: &str, format: Format, body: &[u8]) -> Target {
        if service == KINESIS { self.kinesis.target_of(format, body) } else { Target::default() }
    }
}

/// What AWS checks before it looks into a request; gives the region.
fn checked(call: &ApiCall, service: &str) -> Result<Region, ApiError> {
    if service != KINESIS && service != DYNAMODB {
        return Err(ApiError::unknown_operation(""));
    }
    if call.authorization.is_none() {
        return Err(ApiError::new("MissingAuthenticationTokenException", 400, "Missing Authentication Token"));
    }
    let Some(region) = call.region() else {
        let message = "Authorization header requires 'Credential' parameter.";
        return Err(ApiError::new("IncompleteSignatureException", 400, message));
    };
    Ok(Region::from(region))
}

/// The format of the request, and so of its answer.
fn format_of(call: &ApiCall, service: &str) -> Format {
    if service == DYNAMODB {
        crate::dynamodb::FORMAT
    } else if call.content_type == Format::Cbor11.content_type() {
        Format::Cbor11
    } else {
        Format::Json11
    }
}

fn refused(refusal: Refusal) -> Reply {
    let (status, body) = match refusal {
        Refusal::NoOperation => (
            403,
            "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n\
             </AccessDeniedException>\n",
        ),
        Refusal::TooLarge => (413, ""),
        Refusal::Broken => (400, ""),
    };
    Reply { status, content_type: "text/xml", body: body.as_bytes().to_vec().into() }
}
