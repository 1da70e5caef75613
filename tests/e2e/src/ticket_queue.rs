//! A ticketing system's end: a queue that is subscribed to the ticket topic.

use serde_json::Value;

use crate::clients::Clients;

/// A queue of tickets.
#[derive(Clone, Debug)]
pub struct TicketQueue {
    /// Its URL.
    pub url: String,
    sqs: aws_sdk_sqs::Client,
}

impl TicketQueue {
    /// A new queue that gets what `filter` lets through: an SNS filter policy over the message attributes.
    ///
    /// # Panics
    /// When moto refuses it.
    pub async fn subscribe(aws: &Clients, topic: &str, name: &str, filter: &Value) -> Self {
        let queue = aws.sqs.create_queue().queue_name(name).send().await.expect("SQS makes a queue");
        let url = queue.queue_url().expect("a queue has a URL").to_owned();
        let topic_parts: Vec<_> = topic.split(':').collect();
        let arn = format!("arn:aws:sqs:{}:{}:{name}", topic_parts[3], topic_parts[4]);
        let subscribe = aws.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
        let subscribe = subscribe.attributes("RawMessageDelivery", "true");
        let subscribed = subscribe.attributes("FilterPolicy", filter.to_string()).send().await;
        subscribed.expect("SNS takes the subscription");
        Self { url, sqs: aws.sqs.clone() }
    }

    /// Takes what is in it, in the order in which it came.
    ///
    /// # Panics
    /// When it cannot be read, or holds anything but JSON.
    pub async fn take(&self) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
            let received = receive.send().await.expect("the queue can be read").messages.unwrap_or_default();
            if received.is_empty() {
                return messages;
            }
            for message in received {
                let handle = message.receipt_handle().expect("a message has a handle");
                let delete = self.sqs.delete_message().queue_url(&self.url).receipt_handle(handle);
                delete.send().await.expect("a message can be deleted");
                let body = message.body().expect("a message has a body");
                messages.push(serde_json::from_str(body).expect("a ticket is JSON"));
            }
        }
    }
}
