//! The members of a request as a tree: `MetricData.member.1.Value=2` is `{"MetricData": [{"Value": "2"}]}`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api_error::ApiError;

/// How deep a tree may be; no operation has one as deep.
const MAX_DEPTH: usize = 16;

/// The members of a request.
pub(crate) struct Form {
    pub(crate) action: String,
    members: Vec<(String, String)>,
}

#[derive(Default)]
struct Node {
    text: Option<String>,
    members: BTreeMap<String, Node>,
}

impl Form {
    pub(crate) fn read(body: &[u8]) -> Self {
        let members: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let action = members.iter().find(|(name, _)| name == "Action").map(|(_, action)| action.clone());
        Self { action: action.unwrap_or_default(), members }
    }

    /// The members as an operation has them; every value is text.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let mut root = Node::default();
        for (name, value) in &self.members {
            let path: Vec<&str> = name.split('.').collect();
            if path.len() > MAX_DEPTH {
                return Err(ApiError::validation(format!("{name} is no member of this operation")));
            }
            let mut node = &mut root;
            for part in path {
                node = node.members.entry(part.to_owned()).or_default();
            }
            node.text = Some(value.clone());
        }
        serde_json::from_value(root.value()).map_err(|error| ApiError::validation(error.to_string()))
    }
}

impl Node {
    fn value(mut self) -> Value {
        if let Some(text) = self.text {
            return Value::String(text);
        }
        if let Some(list) = self.members.remove("member") {
            let mut items: Vec<(u32, Node)> = Vec::new();
            for (number, item) in list.members {
                // What is not numbered is no item.
                items.extend(number.parse().ok().map(|number| (number, item)));
            }
            items.sort_by_key(|(number, _)| *number);
            return items.into_iter().map(|(_, item)| item.value()).collect();
        }
        self.members.into_iter().map(|(name, node)| (name, node.value())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn members_are_a_tree_and_lists_are_in_their_order() {
        let body = "Action=PutMetricData&Namespace=a%2Fb+c&MetricData.member.2.Value=2&MetricData.member.10.Value=10\
                    &MetricData.member.2.Dimensions.member.1.Name=x&Empty.member.none=1";
        let form = Form::read(body.as_bytes());
        assert_eq!(form.action, "PutMetricData");
        assert_eq!(
            form.input::<Value>().unwrap(),
            serde_json::json!({
                "Action": "PutMetricData",
                "Namespace": "a/b c",
                "MetricData": [{"Value": "2", "Dimensions": [{"Name": "x"}]}, {"Value": "10"}],
                "Empty": [],
            })
        );
        assert!(Form::read("a.".repeat(100).as_bytes()).input::<Value>().is_err());
    }
}
