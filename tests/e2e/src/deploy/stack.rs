//! A stack in moto, and what it became.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::host::Function;
use crate::http::Server;

/// A stack's outputs.
pub type Outputs = BTreeMap<String, String>;

/// Creates a stack, and reads its outputs.
///
/// # Errors
/// When moto refuses the template or cannot make a resource, with what it says.
pub async fn create_stack(
    moto: &Server,
    account: &str,
    region: &str,
    name: &str,
    template: &Value,
) -> io::Result<Outputs> {
    let query = |action: &str, more: Option<(&'static str, String)>| {
        let mut parameters = BTreeMap::from([
            ("Action", action.to_owned()),
            ("Version", "2010-05-15".to_owned()),
            ("StackName", name.to_owned()),
        ]);
        parameters.extend(more);
        async move { moto.query(account, region, "cloudformation", &parameters).await }
    };
    query("CreateStack", Some(("TemplateBody", template.to_string()))).await?;
    let described = query("DescribeStacks", None).await?;
    if !described.contains("<StackStatus>CREATE_COMPLETE</StackStatus>") {
        return Err(io::Error::other(format!("the stack {name} was not created: {described}")));
    }
    let keys = elements(&described, "OutputKey");
    Ok(keys.into_iter().zip(elements(&described, "OutputValue")).collect())
}

/// A function as it was deployed, to be run by `program`.
///
/// # Errors
/// When there is none of that name.
pub async fn deployed_function(
    moto: &Server,
    account: &str,
    region: &str,
    name: &str,
    program: &Path,
) -> io::Result<Function> {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    let configuration = moto.get(account, region, "lambda", &path).await?;
    let variables = configuration["Environment"]["Variables"].as_object();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Function {
        name: name.to_owned(),
        arn: format!("arn:aws:lambda:{region}:{account}:function:{name}"),
        program: program.to_owned(),
        arguments: Vec::new(),
        environment: variables
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        timeout: Duration::from_secs(configuration["Timeout"].as_u64().unwrap_or(3)),
        memory_mb: configuration["MemorySize"].as_u64().and_then(|mb| mb.try_into().ok()).unwrap_or(128),
    })
}

/// The texts of an XML document's elements of a name, in order.
fn elements(document: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = document.split(&open).skip(1);
    rest.filter_map(|rest| Some(rest.split_once(&close)?.0.replace("&amp;", "&"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_elements_of_a_name() {
        let document = "<a><Key>x</Key><Value>1&amp;2</Value><Key>y</Key></a>";
        assert_eq!(elements(document, "Key"), ["x", "y"]);
        assert_eq!(elements(document, "Value"), ["1&2"]);
    }
}
