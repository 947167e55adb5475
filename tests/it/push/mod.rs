//! Pushes: whose devices there are, and how something gets to them.

mod bell;
mod delivery;
mod devices;

use serde_json::{Value, json};

use crate::harness::{Actor, Answer, Browser};

/// Registers a browser for whoever it is.
pub async fn subscribe(actor: &Actor, browser: &Browser) -> Answer {
    register(actor, json!({ "platform": "WEB_PUSH", "token": browser.subscription() })).await
}

pub async fn register(actor: &Actor, input: Value) -> Answer {
    actor.ask(REGISTER, json!({ "input": input })).await
}

pub async fn unregister(actor: &Actor, id: &Value) -> Answer {
    let ask = "mutation($id: ID!) { unregisterPushDevice(input: { pushDeviceId: $id }) { pushDeviceId } }";
    actor.ask(ask, json!({ "id": id })).await
}

/// The ids of somebody's devices.
pub async fn devices_of(actor: &Actor) -> Vec<Value> {
    let devices = actor.query("{ viewer { pushDevices { id } } }").await.data("viewer")["pushDevices"].clone();
    devices.as_array().unwrap().iter().map(|device| device["id"].clone()).collect()
}

const REGISTER: &str = "mutation($input: RegisterPushDeviceInput!) { registerPushDevice(input: $input) {
    pushDevice { id platform name refreshedAt } } }";
