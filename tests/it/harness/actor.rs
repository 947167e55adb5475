//! People who use the API over HTTP.

use std::net::SocketAddr;

use reqwest::Client;
use serde_json::{Value, json};

use super::{MailServer, Socket};

/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery";

#[derive(Clone)]
pub struct Actor {
    address: SocketAddr,
    http: Client,
    pub token: Option<String>,
    pub refresh_token: String,
    pub id: String,
    pub name: String,
}

/// Subject of the letter that asks for the proof of an address.
pub const IS_IT_YOURS: &str = "Is this your address?";

/// What came back.
#[derive(Debug)]
pub struct Answer(pub Value);

impl Actor {
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        let (refresh_token, id, name) = Default::default();
        Self { address, http: Client::new(), token, refresh_token, id, name }
    }

    pub async fn register(address: SocketAddr, name: &str) -> Self {
        let stranger = Self::new(address, None);
        let input = json!({ "email": format!("{name}@example.org"), "username": handle(name), "password": PASSWORD });
        let answer = stranger.ask(SIGN_UP, json!({ "input": input })).await;
        stranger.signed_in(name, answer.data("register"))
    }

    pub async fn log_in(address: SocketAddr, name: &str) -> Self {
        let stranger = Self::new(address, None);
        let input = json!({ "identifier": handle(name), "password": PASSWORD });
        let answer = stranger.ask(SIGN_IN, json!({ "input": input })).await;
        stranger.signed_in(name, answer.data("login"))
    }

    fn signed_in(self, name: &str, payload: Value) -> Self {
        let text = |pointer: &str| payload.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        Self {
            token: Some(text("/tokens/accessToken")),
            refresh_token: text("/tokens/refreshToken"),
            id: text("/viewer/user/id"),
            name: name.to_owned(),
            ..self
        }
    }

    /// Proves the address that they registered with, by the letter that came there.
    pub async fn prove_address(&self, mails: &MailServer) {
        let letter = mails.letter(1, &format!("{}@example.org", self.name), IS_IT_YOURS).await;
        self.ask(VERIFY, json!({ "token": letter.token() })).await.data("verifyEmail");
    }

    /// The same person, in another session.
    pub fn with_token(&self, token: String) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// The same person, at another server.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub async fn ask(&self, query: &str, variables: Value) -> Answer {
        Answer(self.send(query, variables).await.unwrap())
    }

    /// The same, where the server may be gone.
    pub async fn send(&self, query: &str, variables: Value) -> Result<Value, reqwest::Error> {
        let mut request = self.http.post(format!("http://{}/graphql", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request.json(&json!({ "query": query, "variables": variables })).send().await?.json().await
    }

    /// A query without variables.
    pub async fn query(&self, query: &str) -> Answer {
        self.ask(query, json!({})).await
    }

    /// A socket on which this person is signed in.
    pub async fn socket(&self) -> Socket {
        Socket::connect(self.address, self.token.as_deref()).await
    }

    pub async fn create_channel(&self, input: Value) -> String {
        let answer = self.ask(CREATE_CHANNEL, json!({ "input": input })).await;
        answer.data("createChannel")["channel"]["id"].as_str().unwrap().to_owned()
    }

    /// A public channel.
    pub async fn public_channel(&self, name: &str) -> String {
        self.create_channel(json!({ "name": name })).await
    }

    /// A private channel of these people.
    pub async fn private_channel(&self, name: &str, members: &[&Actor]) -> String {
        let members: Vec<_> = members.iter().map(|member| &member.id).collect();
        self.create_channel(json!({ "name": name, "visibility": "PRIVATE", "memberIds": members })).await
    }

    /// The direct conversation with these people.
    pub async fn direct_with(&self, others: &[&Actor]) -> String {
        let others: Vec<_> = others.iter().map(|other| &other.id).collect();
        let opened = self.ask(OPEN_DIRECT, json!({ "with": others })).await.data("openDirectConversation");
        opened["conversation"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn join(&self, channel: &str) {
        self.ask(JOIN, json!({ "input": { "channelId": channel } })).await.data("joinChannel");
    }

    pub async fn leave(&self, conversation: &str) {
        self.ask(LEAVE, json!({ "id": conversation })).await.data("leaveConversation");
    }

    /// Adds people, all of them, and answers with their seats.
    pub async fn add(&self, conversation: &str, people: &[&Actor], role: &str) -> Vec<String> {
        let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
        let input = json!({ "conversationId": conversation, "userIds": ids, "role": role });
        let added = self.ask(ADD, json!({ "input": input })).await.data("addConversationMembers");
        assert_eq!(added["rejected"], json!([]));
        let members = added["members"].as_array().unwrap().iter();
        members.map(|member| member["id"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn block(&self, whom: &Actor) {
        self.ask(BLOCK, json!({ "id": whom.id })).await.data("blockUser");
    }

    pub async fn unblock(&self, whom: &Actor) {
        self.ask(UNBLOCK, json!({ "id": whom.id })).await.data("unblockUser");
    }

    /// Changes preferences.
    pub async fn prefer(&self, input: Value) {
        self.ask(PREFER, json!({ "input": input })).await.data("updatePreferences");
    }

    /// Sends a message under a key of its own.
    pub async fn say(&self, conversation: &str, content: &str) -> Value {
        self.write(json!({ "conversationId": conversation, "content": content })).await
    }

    /// Sends a message with whatever the input says; the key is made up unless it names one.
    pub async fn write(&self, mut input: Value) -> Value {
        if input.get("clientKey").is_none() {
            input["clientKey"] = json!(uuid::Uuid::new_v4().to_string());
        }
        self.ask(SEND, json!({ "input": input })).await.data("sendMessage")["message"].clone()
    }

    /// The seat of somebody in a conversation, as this person sees it.
    pub async fn seat_of(&self, conversation: &str, user: &Actor) -> String {
        let members = self
            .ask(
                "query($id: ID!) { conversation(id: $id) { members(first: 100) { nodes { id user { id } } } } }",
                json!({ "id": conversation }),
            )
            .await
            .data("conversation");
        let nodes = members["members"]["nodes"].as_array().unwrap().clone();
        let seat = nodes.iter().find(|node| node["user"]["id"] == *user.id);
        seat.unwrap_or_else(|| panic!("{} is no member", user.name))["id"].as_str().unwrap().to_owned()
    }
}

/// The handle of somebody of this name: some are nobody's.
pub fn handle(name: &str) -> String {
    match name {
        "admin" | "moderator" => format!("the-{name}"),
        name => name.to_owned(),
    }
}

/// The handles of a page of users.
pub fn usernames(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["username"].as_str().unwrap().to_owned()).collect()
}

impl Answer {
    /// A root field that has to be there, without any error.
    pub fn data(&self, field: &str) -> Value {
        assert!(self.0.get("errors").is_none(), "{}", self.0);
        self.0["data"][field].clone()
    }

    /// The code of the only error.
    pub fn code(&self) -> &str {
        let errors = self.0["errors"].as_array().unwrap_or_else(|| panic!("no error in {}", self.0));
        assert_eq!(errors.len(), 1, "{}", self.0);
        assert!(errors[0]["extensions"]["requestId"].is_string(), "{}", self.0);
        errors[0]["extensions"]["code"].as_str().unwrap()
    }

    /// What is wrong with the input: `path code` of each field.
    pub fn wrong_fields(&self) -> Vec<String> {
        assert_eq!(self.code(), "BAD_USER_INPUT", "{}", self.0);
        let fields = self.0["errors"][0]["extensions"]["fields"].as_array().unwrap();
        let path = |field: &Value| {
            let steps: Vec<_> = field["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
            steps.join(".")
        };
        fields.iter().map(|field| format!("{} {}", path(field), field["code"].as_str().unwrap())).collect()
    }
}

const SIGN_UP: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    viewer { user { id } } tokens { accessToken refreshToken } } }";
const SIGN_IN: &str = "mutation($input: LoginInput!) { login(input: $input) {
    viewer { user { id } } tokens { accessToken refreshToken } } }";
const VERIFY: &str = "mutation($token: String!) { verifyEmail(input: { token: $token }) { email } }";
const CREATE_CHANNEL: &str =
    "mutation($input: CreateChannelInput!) { createChannel(input: $input) { isReplay channel { id slug } } }";
const OPEN_DIRECT: &str =
    "mutation($with: [ID!]!) { openDirectConversation(input: { userIds: $with }) { conversation { id } } }";
const JOIN: &str = "mutation($input: JoinChannelInput!) { joinChannel(input: $input) { channel { id } } }";
const LEAVE: &str = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    members { id } rejected { userId } } }";
const BLOCK: &str = "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id } } }";
const UNBLOCK: &str = "mutation($id: ID!) { unblockUser(input: { userId: $id }) { user { id } } }";
const PREFER: &str =
    "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { preferences { version } } }";
const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    isReplay message { id seq clientKey content version } timelineEdge { cursor } threadEdge { cursor } } }";
