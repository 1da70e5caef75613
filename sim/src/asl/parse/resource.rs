//! The `Resource` of a Task.

/// Why a resource cannot be called, and what would be right; `None` if it can.
///
/// Any ARN is accepted, and so is any text with a `${...}` that a deployment fills in.
pub(super) fn fault(resource: &str) -> Option<String> {
    if resource.contains("${") {
        return None;
    }
    let parts: Vec<&str> = resource.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, service, _, _, rest @ ..]
            if !partition.is_empty() && !service.is_empty() && rest.iter().any(|part| !part.is_empty()) =>
        {
            let suffix = match (*service, resource.split_once('.')) {
                ("states", Some((_, suffix))) if parts[3].is_empty() => suffix,
                _ => return None,
            };
            match suffix {
                "sync" | "sync:2" | "waitForTaskToken" => None,
                other => Some(format!(
                    "ends in .{other}, which is not an integration pattern; the patterns are .sync, .sync:2 and \
                     .waitForTaskToken"
                )),
            }
        }
        _ => Some(format!("has to be an ARN, such as arn:aws:states:::lambda:invoke, not {resource:?}")),
    }
}
