//! Who gets what: a row per root field, per type of `Node`, and per input that takes an id. The rows are compared with
//! the SDL, so what is new fails here until it has its own; there are no exceptions.
//!
//! `+` data · `0` null without an error · `U` UNAUTHENTICATED · `N` NOT_FOUND · `F` FORBIDDEN · `B` BAD_USER_INPUT ·
//! `P` FAILED_PRECONDITION · `I` INVALID_CREDENTIALS · `T` TOKEN_INVALID · `R` data in which all are rejected · `.` has no
//! meaning.
//! A mutation that is refused has changed nothing in any table.

use std::collections::{BTreeMap, BTreeSet};

use Place::{Announcements, Direct, Nowhere, Pair, Private, PrivateGroup, Public, PublicGroup};
use chinwag::config::{ProviderConfig, ProviderKind};
use chinwag::id::{OAuthAccountId, UserId};
use chinwag::limits::Budget;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, Answer, Browser, PASSWORD, TestServer, sdl};

/// Where the objects of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Private,
    Public,
    /// Private, and only ADMIN and up write.
    Announcements,
    /// A direct conversation of those who have a role elsewhere; in it all are alike.
    Direct,
    /// The direct conversation of the owner and the member.
    Pair,
    /// A private group, with a public channel that only its owner has joined, and with a category.
    PrivateGroup,
    /// The same, public.
    PublicGroup,
    /// In no conversation.
    Nowhere,
}

/// What everybody gets who asks for something.
struct Row {
    /// The root field, and the type that it finds.
    of: &'static str,
    place: Place,
    ask: &'static str,
    /// By column, see `PEOPLE`.
    get: &'static str,
}

const fn row(of: &'static str, place: Place, ask: &'static str, get: &'static str) -> Row {
    Row { of, place, ask, get }
}

/// The columns. The operator is ADMIN of the server, which gives nothing inside conversations. Who left and who was
/// banned were members, and wrote.
const PEOPLE: [&str; 10] =
    ["anonymous", "operator", "stranger", "left", "banned", "guest", "member", "moderator", "admin", "owner"];

#[rustfmt::skip]
const READS: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Query.server", Nowhere, "server { name }",                                                   "+ + + + + + + + + +"),
    row("Query.viewer", Nowhere, "viewer { id email session { id } }",                                "0 + + + + + + + + +"),
    row("Query.user", Nowhere, "user(by: { id: <owner> }) { id }",                                    "U + + + + + + + + +"),
    row("Query.user", Nowhere, "user(by: { username: \"owner\" }) { id }",                            "U + + + + + + + + +"),
    row("Query.user", Nowhere, "user(by: { username: \"nobody\" }) { id }",                           "U 0 0 0 0 0 0 0 0 0"),
    row("Query.admin", Nowhere, "admin { invitations { pageInfo { hasNextPage } } }",                 "U + F F F F F F F F"),
    row("Query.users", Nowhere, "users { pageInfo { hasNextPage } }",                                 "U + + + + + + + + +"),
    row("Query.node User", Nowhere, "node(id: <owner>) { id }",                                       "U + + + + + + + + +"),
    row("Query.node Session", Nowhere, "node(id: <owner's session>) { id }",                          "U 0 0 0 0 0 0 0 0 +"),
    row("Query.node Invitation", Nowhere, "node(id: <invitation>) { id }",                            "U + 0 0 0 0 0 0 0 0"),
    row("Query.node Viewer", Nowhere, "node(id: <owner's viewer>) { id }",                            "U 0 0 0 0 0 0 0 0 +"),
    row("Query.node OAuthAccount", Nowhere, "node(id: <owner's oauth account>) { id }",               "U 0 0 0 0 0 0 0 0 +"),
    row("Query.node PushDevice", Nowhere, "node(id: <owner's device>) { id }",                        "U 0 0 0 0 0 0 0 0 +"),
    row("Query.node Preferences", Nowhere, "node(id: <owner's preferences>) { id }",                  "U 0 0 0 0 0 0 0 0 +"),
    row("Query.node Channel", Private, "node(id: <channel>) { id }",                                  "U 0 0 0 0 + + + + +"),
    row("Query.node Channel", Public, "node(id: <channel>) { id }",                                   "U + + + 0 + + + + +"),
    row("Query.node ConversationMember", Private, "node(id: <member's seat>) { id }",                 "U 0 0 0 0 + + + + +"),
    row("Query.node ConversationMember", Public, "node(id: <member's seat>) { id }",                  "U + + + 0 + + + + +"),
    row("Query.node ConversationMember", Public, "node(id: <left's seat>) { id }",                    "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node ConversationViewerState", Private, "node(id: <member's inbox>) { id }",           "U 0 0 0 0 0 + 0 0 0"),
    row("Query.node ConversationViewerState", Public, "node(id: <member's inbox>) { id }",            "U 0 0 0 0 0 + 0 0 0"),
    row("Query.node ConversationViewerState", Public, "node(id: <left's inbox>) { id }",              "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node ConversationViewerState", Public, "node(id: <banned's inbox>) { id }",            "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node Message", Private, "node(id: <owner's message>) { id }",                          "U 0 0 0 0 + + + + +"),
    row("Query.node Message", Public, "node(id: <owner's message>) { id }",                           "U + + + 0 + + + + +"),
    row("Query.node Message", Private, "node(id: <left's message>) { id }",                           "U 0 0 0 0 + + + + +"),
    row("Query.node Notification", Private, "node(id: <member's notification>) { id }",               "U 0 0 0 0 0 + 0 0 0"),
    row("Query.node Notification", Public, "node(id: <member's notification>) { id }",                "U 0 0 0 0 0 + 0 0 0"),
    row("Query.node Notification", Private, "node(id: <left's notification>) { id }",                 "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node Thread", Private, "node(id: <thread>) { id }",                                    "U 0 0 0 0 + + + + +"),
    row("Query.node Thread", Public, "node(id: <thread>) { id }",                                     "U + + + 0 + + + + +"),
    row("Query.nodes", Private, "nodes(ids: [<channel>, <owner's message>, <member's seat>]) { id }", "U 0 0 0 0 + + + + +"),
    row("Query.nodes", Public, "nodes(ids: [<channel>, <owner's message>, <member's seat>]) { id }",  "U + + + 0 + + + + +"),
    row("Query.conversation", Private, "conversation(id: <channel>) { id }",                          "U 0 0 0 0 + + + + +"),
    row("Query.conversation", Public, "conversation(id: <channel>) { id }",                           "U + + + 0 + + + + +"),
    row("Query.channel", Private, "channel(by: { id: <channel> }) { id }",                            "U 0 0 0 0 + + + + +"),
    row("Query.channel", Public, "channel(by: { id: <channel> }) { id }",                             "U + + + 0 + + + + +"),
    row("Query.channel", Public, "channel(by: { slug: <slug> }) { id }",                              "U + + + 0 + + + + +"),
    row("Query.channels", Private, "channels(first: 100) { nodes { id } }",                           "U 0 0 0 0 + + + + +"),
    row("Query.channels", Public, "channels(first: 100) { nodes { id } }",                            "U + + + 0 + + + + +"),
    row("Query.channels", Private, "channels(filter: { search: \"lace\" }) { nodes { id } }",           "U 0 0 0 0 + + + + +"),
    row("Query.channels", Private, "channels(orderBy: { field: CREATED_AT, direction: DESC }, first: 100) { nodes { id } }",
                                                                                                      "U 0 0 0 0 + + + + +"),
    row("Query.channels", Private, "channels(filter: { isJoined: false }) { nodes { id } }",          "U 0 0 0 0 0 0 0 0 0"),
    row("Query.channels", Public, "channels(filter: { isJoined: false }) { nodes { id } }",           "U + + + 0 0 0 0 0 0"),
    row("Query.channels", Public, "channels(filter: { isJoined: true }) { nodes { id } }",            "U 0 0 0 0 + + + + +"),
    row("Query.conversationEventsSince", Private, "conversationEventsSince(positions: [{ conversationId: <channel>, after: 0 }]) { conversation { id } }",
                                                                                                      "U 0 0 0 0 + + + + +"),
    row("Query.conversationEventsSince", Public, "conversationEventsSince(positions: [{ conversationId: <channel>, after: 0 }]) { conversation { id } }",
                                                                                                      "U + + + 0 + + + + +"),
    row("Query.message", Private, "message(id: <owner's message>) { id }",                            "U 0 0 0 0 + + + + +"),
    row("Query.message", Public, "message(id: <owner's message>) { id }",                             "U + + + 0 + + + + +"),
    row("Query.message", Private, "message(id: <left's message>) { id }",                             "U 0 0 0 0 + + + + +"),
    row("Query.node DirectConversation", Direct, "node(id: <direct>) { id }",                         "U 0 0 0 0 + + + + +"),
    row("Query.node DirectConversation", Pair, "node(id: <direct>) { id }",                           "U 0 0 0 0 0 + 0 0 +"),
    row("Query.node ConversationMember", Direct, "node(id: <member's seat>) { id }",                  "U 0 0 0 0 + + + + +"),
    row("Query.node ConversationMember", Direct, "node(id: <left's seat>) { id }",                    "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node ConversationViewerState", Direct, "node(id: <member's inbox>) { id }",            "U 0 0 0 0 0 + 0 0 0"),
    row("Query.node ConversationViewerState", Direct, "node(id: <left's inbox>) { id }",              "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node Message", Direct, "node(id: <owner's message>) { id }",                           "U 0 0 0 0 + + + + +"),
    row("Query.node Message", Direct, "node(id: <left's message>) { id }",                            "U 0 0 0 0 + + + + +"),
    row("Query.node Message", Pair, "node(id: <owner's message>) { id }",                             "U 0 0 0 0 0 + 0 0 +"),
    row("Query.node Thread", Direct, "node(id: <thread>) { id }",                                     "U 0 0 0 0 + + + + +"),
    row("Query.conversation", Direct, "conversation(id: <direct>) { id }",                            "U 0 0 0 0 + + + + +"),
    row("Query.conversation", Pair, "conversation(id: <direct>) { id }",                              "U 0 0 0 0 0 + 0 0 +"),
    row("Query.message", Direct, "message(id: <left's message>) { id }",                              "U 0 0 0 0 + + + + +"),
    row("Query.group", PrivateGroup, "group(by: { id: <group> }) { id }",
                                                                                                      "U 0 0 0 0 + + + + +"),
    row("Query.group", PublicGroup, "group(by: { id: <group> }) { id }",
                                                                                                      "U + + + 0 + + + + +"),
    row("Query.group", PublicGroup, "group(by: { slug: <group's slug> }) { id }",
                                                                                                      "U + + + 0 + + + + +"),
    row("Query.groups", PrivateGroup, "groups(first: 100) { nodes { id } }",
                                                                                                      "U 0 0 0 0 + + + + +"),
    row("Query.groups", PublicGroup, "groups(first: 100) { nodes { id } }",
                                                                                                      "U + + + 0 + + + + +"),
    row("Query.groups", PublicGroup, "groups(filter: { isJoined: false }, first: 100) { nodes { id } }",
                                                                                                      "U + + + 0 0 0 0 0 0"),
    row("Query.categories", Nowhere, "categories { id }",
                                                                                                      "U + + + + + + + + +"),
    row("Query.node Group", PrivateGroup, "node(id: <group>) { id }",
                                                                                                      "U 0 0 0 0 + + + + +"),
    row("Query.node Group", PublicGroup, "node(id: <group>) { id }",
                                                                                                      "U + + + 0 + + + + +"),
    row("Query.node GroupMember", PrivateGroup, "node(id: <member's seat>) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.node GroupMember", PublicGroup, "node(id: <member's seat>) { id }",
                                                                                                      "U + + + 0 0 + + + +"),
    row("Query.node GroupMember", PublicGroup, "node(id: <left's seat>) { id }",
                                                                                                      "U 0 0 0 0 0 0 0 0 0"),
    row("Query.node ChannelCategory", PrivateGroup, "node(id: <category>) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.node ChannelCategory", PublicGroup, "node(id: <category>) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.node Channel", PublicGroup, "node(id: <channel>) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.channel", PublicGroup, "channel(by: { inGroup: { group: <group's slug>, channel: \"inside\" } }) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.channels", PublicGroup, "channels(filter: { groupId: <group> }) { nodes { id } }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
    row("Query.node Message", PublicGroup, "node(id: <owner's message>) { id }",
                                                                                                      "U 0 0 0 0 0 + + + +"),
];

#[rustfmt::skip]
const SIGN_INS: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Mutation.register", Nowhere, "register(input: { email: <address>, username: <name>, password: <password> }) { session { id } }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.login", Nowhere, "login(input: { identifier: \"owner\", password: <password> }) { session { id } }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.refreshSession", Nowhere, "refreshSession(input: { refreshToken: <refresh token> }) { session { id } }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.refreshSession", Nowhere, "refreshSession(input: { refreshToken: \"forged\" }) { session { id } }",
                                                                                                      "U U U U U U U U U U"),
    row("Mutation.requestEmailVerification", Nowhere, "requestEmailVerification(input: { email: <address> }) { retryAfter }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.verifyEmail", Nowhere, "verifyEmail(input: { token: \"forged\" }) { email }",       "T T T T T T T T T T"),
    row("Mutation.changeEmail", Nowhere, "changeEmail(input: { email: <address>, currentPassword: <name> }) { viewer { id } }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.changeEmail", Nowhere, "changeEmail(input: { email: <address> }) { viewer { id } }", "U I I I I I I I I I"),
    row("Mutation.requestPasswordReset", Nowhere, "requestPasswordReset(input: { email: <address> }) { retryAfter }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.resetPassword", Nowhere, "resetPassword(input: { token: \"forged\", password: <key> }) { revokedSessionCount }",
                                                                                                      "T T T T T T T T T T"),
    row("Mutation.changePassword", Nowhere, "changePassword(input: { currentPassword: <name>, newPassword: <key> }) { viewer { id } }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.changePassword", Nowhere, "changePassword(input: { newPassword: <key> }) { viewer { id } }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.answerSecondFactor", Nowhere, "answerSecondFactor(input: { challenge: \"forged\", code: \"123456\" }) { viewer { id } }",
                                                                                                      "T T T T T T T T T T"),
    row("Mutation.beginSecondFactor", Nowhere, "beginSecondFactor(input: { currentPassword: <name> }) { secret }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.beginSecondFactor", Nowhere, "beginSecondFactor(input: {}) { secret }",             "U I I I I I I I I I"),
    row("Mutation.enableSecondFactor", Nowhere, "enableSecondFactor(input: { code: \"123456\" }) { recoveryCodes }",
                                                                                                      "U P P P P P P P P P"),
    row("Mutation.disableSecondFactor", Nowhere, "disableSecondFactor(input: { code: \"123456\" }) { viewer { id } }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.regenerateRecoveryCodes", Nowhere, "regenerateRecoveryCodes(input: { code: \"123456\" }) { recoveryCodes }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.beginOAuth", Nowhere, "beginOAuth(input: { provider: \"github\", purpose: SIGN_IN, redirectUrl: \"https://app.example.org/oauth\", codeChallenge: <challenge> }) { state }",
                                                                                                      "+ + + + + + + + + +"),
    row("Mutation.beginOAuth", Nowhere, "beginOAuth(input: { provider: \"github\", purpose: LINK, redirectUrl: \"https://app.example.org/oauth\", codeChallenge: <challenge>, currentPassword: <name> }) { state }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.completeOAuth", Nowhere, "completeOAuth(input: { state: \"forged\", code: \"forged\", codeVerifier: <challenge> }) { viewer { id } }",
                                                                                                      "T T T T T T T T T T"),
    row("Mutation.unlinkOAuthAccount", Nowhere, "unlinkOAuthAccount(input: { oauthAccountId: <owner's oauth account>, currentPassword: <name> }) { oauthAccountId }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.unlinkOAuthAccount", Nowhere, "unlinkOAuthAccount(input: { oauthAccountId: <owner's oauth account>, currentPassword: <password> }) { oauthAccountId }",
                                                                                                      "U N N N N N N N N +"),
    row("Mutation.registerPushDevice", Nowhere, "registerPushDevice(input: { platform: WEB_PUSH, token: <subscription> }) { pushDevice { id } }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.unregisterPushDevice", Nowhere, "unregisterPushDevice(input: { pushDeviceId: <owner's device> }) { pushDeviceId }",
                                                                                                      "U N N N N N N N N +"),
    row("Mutation.revokeSessions", Nowhere, "revokeSessions(input: { allOthers: true }) { sessionIds }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.deleteAccount", Nowhere, "deleteAccount(input: { currentPassword: <name>, deletesMessages: true }) { userId }",
                                                                                                      "U I I I I I I I I I"),
    row("Mutation.deleteAccount", Nowhere, "deleteAccount(input: {}) { userId }",                     "U I I I I I I I I I"),
    row("Mutation.createInvitation", Nowhere, "createInvitation(input: {}) { token }",                "U + F F F F F F F F"),
    row("Mutation.revokeInvitation", Nowhere, "revokeInvitation(input: { invitationId: <invitation> }) { invitation { id } }",
                                                                                                      "U + F F F F F F F F"),
    row("Mutation.logout", Nowhere, "logout { sessionId }",                                           "U + + + + + + + + +"),
    row("Mutation.updateProfile", Nowhere, "updateProfile(input: { bio: <name> }) { user { id } }",   "U + + + + + + + + +"),
    row("Mutation.updatePreferences", Nowhere, "updatePreferences(input: { theme: DARK }) { preferences { id } }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.blockUser", Nowhere, "blockUser(input: { userId: <owner> }) { user { id } }",       "U + + + + + + + + B"),
    row("Mutation.unblockUser", Nowhere, "unblockUser(input: { userId: <owner> }) { user { id } }",   "U + + + + + + + + +"),
    row("Mutation.createChannel", Nowhere, "createChannel(input: { name: <name> }) { channel { id } }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.openDirectConversation", Nowhere, "openDirectConversation(input: { userIds: [<owner>] }) { conversation { id } }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.createGroup", Nowhere, "createGroup(input: { name: <name> }) { group { id } }",     "U + + + + + + + + +"),
    row("Mutation.createChannelCategory", Nowhere, "createChannelCategory(input: { name: <name> }) { category { id } }",
                                                                                                      "U + F F F F F F F F"),
    row("Mutation.setPresence", Nowhere, "setPresence(input: { status: BUSY }) { user { id } }",      "U P P P P P P P P P"),
    row("Mutation.setCustomStatus", Nowhere, "setCustomStatus(input: { text: \"Hi\" }) { user { id } }",
                                                                                                      "U + + + + + + + + +"),
];

#[rustfmt::skip]
const WRITES_IN_PRIVATE: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Mutation.joinChannel", Private, "joinChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.leaveConversation", Private, "leaveConversation(input: { conversationId: <channel> }) { conversationId }",
                                                                                                      "U N N N N + + + + P"),
    row("Mutation.addConversationMembers", Private, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.addConversationMembers", Private, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>], role: GUEST }) { members { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.addConversationMembers", Private, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>], role: ADMIN }) { members { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.addConversationMembers", Private, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>], role: OWNER }) { members { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.removeConversationMember", Private, "removeConversationMember(input: { memberId: <guest's seat> }) { memberId }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.removeConversationMember", Private, "removeConversationMember(input: { memberId: <member's seat> }) { memberId }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.removeConversationMember", Private, "removeConversationMember(input: { memberId: <moderator's seat> }) { memberId }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.removeConversationMember", Private, "removeConversationMember(input: { memberId: <owner's seat> }) { memberId }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.removeConversationMember", Private, "removeConversationMember(input: { memberId: <left's seat> }) { memberId }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.updateChannel", Private, "updateChannel(input: { channelId: <channel>, topic: \"New\" }) { channel { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateChannel", Private, "updateChannel(input: { channelId: <channel>, visibility: PUBLIC, exposesHistory: true }) { channel { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.updateChannel", Private, "updateChannel(input: { channelId: <channel>, visibility: PUBLIC }) { channel { id } }",
                                                                                                      "U N N N N F F F F P"),
    row("Mutation.updateChannel", Private, "updateChannel(input: { channelId: <channel>, postingRole: OWNER }) { channel { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.updateChannel", Announcements, "updateChannel(input: { channelId: <channel>, postingRole: GUEST }) { channel { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.archiveChannel", Private, "archiveChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.unarchiveChannel", Private, "unarchiveChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <guest's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <moderator's seat>, role: GUEST }) { member { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <member's seat>, role: ADMIN }) { member { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <member's seat>, role: OWNER }) { member { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <admin's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <owner's seat>, role: ADMIN }) { member { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.updateConversationMember", Private, "updateConversationMember(input: { memberId: <left's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N N N N N N"),
    row("Mutation.transferConversationOwnership", Private, "transferConversationOwnership(input: { memberId: <guest's seat> }) { owner { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.transferConversationOwnership", Private, "transferConversationOwnership(input: { memberId: <owner's seat> }) { owner { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.transferConversationOwnership", Private, "transferConversationOwnership(input: { memberId: <left's seat> }) { owner { id } }",
                                                                                                      "U N N N N N N N N N"),
    row("Mutation.markConversationRead", Private, "markConversationRead(input: { conversationId: <channel> }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markConversationRead", Private, "markConversationRead(input: { conversationId: <channel>, messageId: <owner's message> }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markConversationRead", Announcements, "markConversationRead(input: { conversationId: <channel>, seq: 1 }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markConversationUnread", Private, "markConversationUnread(input: { messageId: <owner's message> }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markNotificationsRead", Private, "markNotificationsRead(input: { conversationId: <channel> }) { markedCount }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markNotificationsRead", Private, "markNotificationsRead(input: { notificationIds: [<member's notification>] }) { markedCount }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.deleteNotifications", Private, "deleteNotifications(input: { notificationIds: [<member's notification>] }) { notificationIds }",
                                                                                                      "U + + + + + + + + +"),
    row("Mutation.updateConversationViewerState", Private, "updateConversationViewerState(input: { conversationId: <channel>, isFavorite: true }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Private, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Private, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\", threadRootId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Announcements, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.sendMessage", Announcements, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\", threadRootId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.editMessage", Private, "editMessage(input: { messageId: <member's message>, content: \"No\" }) { message { id } }",
                                                                                                      "U N N N N F + F F F"),
    row("Mutation.editMessage", Private, "editMessage(input: { messageId: <left's message>, content: \"No\" }) { message { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.deleteMessage", Private, "deleteMessage(input: { messageId: <member's message> }) { message { id } }",
                                                                                                      "U N N N N F + + + +"),
    row("Mutation.deleteMessage", Private, "deleteMessage(input: { messageId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.deleteMessage", Private, "deleteMessage(input: { messageId: <left's message> }) { message { id } }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.addReaction", Private, "addReaction(input: { messageId: <owner's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.addReaction", Private, "addReaction(input: { messageId: <left's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.removeReaction", Private, "removeReaction(input: { messageId: <owner's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.removeReaction", Private, "removeReaction(input: { messageId: <left's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.addReaction", Announcements, "addReaction(input: { messageId: <owner's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.pinMessage", Private, "pinMessage(input: { messageId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.unpinMessage", Private, "unpinMessage(input: { messageId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.followThread", Private, "followThread(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.unfollowThread", Private, "unfollowThread(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markThreadRead", Private, "markThreadRead(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.setTyping", Private, "setTyping(input: { conversationId: <channel> }) { expiresAt }",
                                                                                                      "U N N N N + + + + +"),
];

#[rustfmt::skip]
const WRITES_IN_PUBLIC: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Mutation.joinChannel", Public, "joinChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U + + + N + + + + +"),
    row("Mutation.leaveConversation", Public, "leaveConversation(input: { conversationId: <channel> }) { conversationId }",
                                                                                                      "U + + + N + + + + P"),
    row("Mutation.addConversationMembers", Public, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U F F F N F + + + +"),
    row("Mutation.addConversationMembers", Public, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>], role: MODERATOR }) { members { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.addConversationMembers", Public, "addConversationMembers(input: { conversationId: <channel>, userIds: [<banned>] }) { rejected { userId } }",
                                                                                                      "U F F F N F R R R R"),
    row("Mutation.removeConversationMember", Public, "removeConversationMember(input: { memberId: <member's seat> }) { memberId }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.removeConversationMember", Public, "removeConversationMember(input: { memberId: <admin's seat> }) { memberId }",
                                                                                                      "U F F F N F F F F +"),
    row("Mutation.updateChannel", Public, "updateChannel(input: { channelId: <channel>, topic: \"New\" }) { channel { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.updateChannel", Public, "updateChannel(input: { channelId: <channel>, visibility: PRIVATE }) { channel { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.archiveChannel", Public, "archiveChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U + F F N F F F + +"),
    row("Mutation.unarchiveChannel", Public, "unarchiveChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U + F F N F F F + +"),
    row("Mutation.updateConversationMember", Public, "updateConversationMember(input: { memberId: <guest's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.transferConversationOwnership", Public, "transferConversationOwnership(input: { memberId: <member's seat> }) { owner { id } }",
                                                                                                      "U F F F N F F F F +"),
    row("Mutation.markConversationRead", Public, "markConversationRead(input: { conversationId: <channel> }) { viewerState { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.markConversationUnread", Public, "markConversationUnread(input: { messageId: <owner's message> }) { viewerState { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.markNotificationsRead", Public, "markNotificationsRead(input: { conversationId: <channel> }) { markedCount }",
                                                                                                      "U + + + N + + + + +"),
    row("Mutation.updateConversationViewerState", Public, "updateConversationViewerState(input: { conversationId: <channel>, isHidden: true }) { viewerState { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.sendMessage", Public, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.sendMessage", Public, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\", threadRootId: <owner's message> }) { message { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.editMessage", Public, "editMessage(input: { messageId: <member's message>, content: \"No\" }) { message { id } }",
                                                                                                      "U F F F N F + F F F"),
    row("Mutation.editMessage", Public, "editMessage(input: { messageId: <left's message>, content: \"No\" }) { message { id } }",
                                                                                                      "U F F F N F F F F F"),
    row("Mutation.deleteMessage", Public, "deleteMessage(input: { messageId: <member's message> }) { message { id } }",
                                                                                                      "U F F F N F + + + +"),
    row("Mutation.deleteMessage", Public, "deleteMessage(input: { messageId: <moderator's message> }) { message { id } }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.deleteMessage", Public, "deleteMessage(input: { messageId: <left's message> }) { message { id } }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.addReaction", Public, "addReaction(input: { messageId: <owner's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.removeReaction", Public, "removeReaction(input: { messageId: <owner's message>, emoji: \"👍\" }) { message { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.pinMessage", Public, "pinMessage(input: { messageId: <member's message> }) { message { id } }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.unpinMessage", Public, "unpinMessage(input: { messageId: <member's message> }) { message { id } }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.followThread", Public, "followThread(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.unfollowThread", Public, "unfollowThread(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.markThreadRead", Public, "markThreadRead(input: { messageId: <owner's message> }) { thread { id } }",
                                                                                                      "U F F F N + + + + +"),
    row("Mutation.setTyping", Public, "setTyping(input: { conversationId: <channel> }) { expiresAt }",
                                                                                                      "U F F F N + + + + +"),
];

/// A seat is a membership of the group there.
#[rustfmt::skip]
const WRITES_IN_GROUPS: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Mutation.joinGroup", PrivateGroup, "joinGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.joinGroup", PublicGroup, "joinGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U + + + N + + + + +"),
    row("Mutation.leaveGroup", PrivateGroup, "leaveGroup(input: { groupId: <group> }) { groupId }",
                                                                                                      "U N N N N + + + + P"),
    row("Mutation.leaveGroup", PublicGroup, "leaveGroup(input: { groupId: <group> }) { groupId }",
                                                                                                      "U + + + N + + + + P"),
    row("Mutation.updateGroup", PrivateGroup, "updateGroup(input: { groupId: <group>, description: \"New\" }) { group { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateGroup", PublicGroup, "updateGroup(input: { groupId: <group>, description: \"New\" }) { group { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.updateGroup", PrivateGroup, "updateGroup(input: { groupId: <group>, visibility: PUBLIC, exposesHistory: true }) { group { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.updateGroup", PrivateGroup, "updateGroup(input: { groupId: <group>, visibility: PUBLIC }) { group { id } }",
                                                                                                      "U N N N N F F F F P"),
    row("Mutation.archiveGroup", PrivateGroup, "archiveGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.archiveGroup", PublicGroup, "archiveGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U + F F N F F F + +"),
    row("Mutation.unarchiveGroup", PrivateGroup, "unarchiveGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.unarchiveGroup", PublicGroup, "unarchiveGroup(input: { groupId: <group> }) { group { id } }",
                                                                                                      "U + F F N F F F + +"),
    row("Mutation.addGroupMembers", PrivateGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.addGroupMembers", PublicGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U F F F N F + + + +"),
    row("Mutation.addGroupMembers", PrivateGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<stranger>], role: ADMIN }) { members { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.addGroupMembers", PublicGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<stranger>], role: ADMIN }) { members { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.addGroupMembers", PrivateGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<stranger>], role: OWNER }) { members { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.addGroupMembers", PublicGroup, "addGroupMembers(input: { groupId: <group>, userIds: [<banned>] }) { rejected { userId } }",
                                                                                                      "U F F F N F R R R R"),
    row("Mutation.updateGroupMember", PrivateGroup, "updateGroupMember(input: { memberId: <guest's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.updateGroupMember", PublicGroup, "updateGroupMember(input: { memberId: <guest's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.updateGroupMember", PrivateGroup, "updateGroupMember(input: { memberId: <admin's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.updateGroupMember", PrivateGroup, "updateGroupMember(input: { memberId: <left's seat>, role: MEMBER }) { member { id } }",
                                                                                                      "U N N N N N N N N N"),
    row("Mutation.removeGroupMember", PrivateGroup, "removeGroupMember(input: { memberId: <member's seat> }) { memberId }",
                                                                                                      "U N N N N F F + + +"),
    row("Mutation.removeGroupMember", PublicGroup, "removeGroupMember(input: { memberId: <member's seat> }) { memberId }",
                                                                                                      "U F F F N F F + + +"),
    row("Mutation.removeGroupMember", PrivateGroup, "removeGroupMember(input: { memberId: <owner's seat> }) { memberId }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.transferGroupOwnership", PrivateGroup, "transferGroupOwnership(input: { memberId: <member's seat> }) { owner { id } }",
                                                                                                      "U N N N N F F F F +"),
    row("Mutation.transferGroupOwnership", PublicGroup, "transferGroupOwnership(input: { memberId: <member's seat> }) { owner { id } }",
                                                                                                      "U F F F N F F F F +"),
    row("Mutation.createChannel", PrivateGroup, "createChannel(input: { name: <name>, groupId: <group>, categoryId: <category> }) { channel { id } }",
                                                                                                      "U N N N N F + + + +"),
    row("Mutation.createChannel", PublicGroup, "createChannel(input: { name: <name>, groupId: <group>, categoryId: <category> }) { channel { id } }",
                                                                                                      "U F F F N F + + + +"),
    row("Mutation.createChannelCategory", PrivateGroup, "createChannelCategory(input: { name: <name>, groupId: <group> }) { category { id } }",
                                                                                                      "U N N N N F F F + +"),
    row("Mutation.createChannelCategory", PublicGroup, "createChannelCategory(input: { name: <name>, groupId: <group> }) { category { id } }",
                                                                                                      "U F F F N F F F + +"),
    row("Mutation.updateChannelCategory", PrivateGroup, "updateChannelCategory(input: { categoryId: <category>, name: <name> }) { category { id } }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.updateChannelCategory", PublicGroup, "updateChannelCategory(input: { categoryId: <category>, name: <name> }) { category { id } }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.deleteChannelCategory", PrivateGroup, "deleteChannelCategory(input: { categoryId: <category> }) { categoryId }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.deleteChannelCategory", PublicGroup, "deleteChannelCategory(input: { categoryId: <category> }) { categoryId }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.moveChannel", PrivateGroup, "moveChannel(input: { channelId: <channel>, categoryId: <category> }) { channel { id } }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.moveChannel", PublicGroup, "moveChannel(input: { channelId: <channel>, categoryId: <category> }) { channel { id } }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.joinChannel", PrivateGroup, "joinChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U N N N N N + + + +"),
    row("Mutation.joinChannel", PublicGroup, "joinChannel(input: { channelId: <channel> }) { channel { id } }",
                                                                                                      "U N N N N N + + + +"),
    row("Mutation.sendMessage", PrivateGroup, "sendMessage(input: { conversationId: <channel>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U N N N N N F F F +"),
    row("Mutation.deleteMessage", PrivateGroup, "deleteMessage(input: { messageId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N N F F F +"),
    row("Mutation.updateChannel", PrivateGroup, "updateChannel(input: { channelId: <channel>, topic: \"New\" }) { channel { id } }",
                                                                                                      "U N N N N N F F + +"),
    row("Mutation.addConversationMembers", PrivateGroup, "addConversationMembers(input: { conversationId: <channel>, userIds: [<stranger>] }) { rejected { userId } }",
                                                                                                      "U N N N N N R R R R"),
];

#[rustfmt::skip]
const WRITES_IN_DIRECT: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Mutation.leaveConversation", Direct, "leaveConversation(input: { conversationId: <direct> }) { conversationId }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.leaveConversation", Pair, "leaveConversation(input: { conversationId: <direct> }) { conversationId }",
                                                                                                      "U N N N N N P N N P"),
    row("Mutation.updateDirectConversation", Direct, "updateDirectConversation(input: { conversationId: <direct>, name: \"New\" }) { conversation { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.updateDirectConversation", Pair, "updateDirectConversation(input: { conversationId: <direct>, name: \"New\" }) { conversation { id } }",
                                                                                                      "U N N N N N P N N P"),
    row("Mutation.addConversationMembers", Direct, "addConversationMembers(input: { conversationId: <direct>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.addConversationMembers", Direct, "addConversationMembers(input: { conversationId: <direct>, userIds: [<left>] }) { members { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.addConversationMembers", Direct, "addConversationMembers(input: { conversationId: <direct>, userIds: [<banned>] }) { rejected { userId } }",
                                                                                                      "U N N N N R R R R R"),
    row("Mutation.addConversationMembers", Direct, "addConversationMembers(input: { conversationId: <direct>, userIds: [<stranger>], role: ADMIN }) { members { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.addConversationMembers", Direct, "addConversationMembers(input: { conversationId: <direct>, userIds: [<stranger>], role: GUEST }) { members { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.addConversationMembers", Pair, "addConversationMembers(input: { conversationId: <direct>, userIds: [<stranger>] }) { members { id } }",
                                                                                                      "U N N N N N + N N +"),
    row("Mutation.removeConversationMember", Direct, "removeConversationMember(input: { memberId: <guest's seat> }) { memberId }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.removeConversationMember", Direct, "removeConversationMember(input: { memberId: <left's seat> }) { memberId }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.updateConversationMember", Direct, "updateConversationMember(input: { memberId: <guest's seat>, role: ADMIN }) { member { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.updateConversationMember", Direct, "updateConversationMember(input: { memberId: <guest's seat>, role: GUEST }) { member { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.transferConversationOwnership", Direct, "transferConversationOwnership(input: { memberId: <guest's seat> }) { owner { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.markConversationRead", Direct, "markConversationRead(input: { conversationId: <direct> }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.markConversationUnread", Direct, "markConversationUnread(input: { messageId: <owner's message> }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.updateConversationViewerState", Direct, "updateConversationViewerState(input: { conversationId: <direct>, isHidden: true }) { viewerState { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Direct, "sendMessage(input: { conversationId: <direct>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Direct, "sendMessage(input: { conversationId: <direct>, clientKey: <key>, content: \"Hi\", threadRootId: <owner's message> }) { message { id } }",
                                                                                                      "U N N N N + + + + +"),
    row("Mutation.sendMessage", Pair, "sendMessage(input: { conversationId: <direct>, clientKey: <key>, content: \"Hi\" }) { message { id } }",
                                                                                                      "U N N N N N + N N +"),
    row("Mutation.editMessage", Direct, "editMessage(input: { messageId: <member's message>, content: \"No\" }) { message { id } }",
                                                                                                      "U N N N N F + F F F"),
    row("Mutation.deleteMessage", Direct, "deleteMessage(input: { messageId: <member's message> }) { message { id } }",
                                                                                                      "U N N N N F + F F F"),
    row("Mutation.deleteMessage", Direct, "deleteMessage(input: { messageId: <left's message> }) { message { id } }",
                                                                                                      "U N N N N F F F F F"),
    row("Mutation.setTyping", Direct, "setTyping(input: { conversationId: <direct> }) { expiresAt }", "U N N N N + + + + +"),
];

#[rustfmt::skip]
const STREAMS: &[Row] = &[
    //                                                                                                 a o s l b g m m a o
    row("Subscription.conversationEvents", Private, "conversationEvents(conversationId: <channel>) { seq }",
                                                                                                      "U N N N N + + + + +"),
    row("Subscription.conversationEvents", Public, "conversationEvents(conversationId: <channel>) { seq }",
                                                                                                      "U + + + N + + + + +"),
    row("Subscription.conversationEvents", PublicGroup, "conversationEvents(conversationId: <channel>) { seq }",
                                                                                                      "U N N N N N + + + +"),
    row("Subscription.conversationSignals", Private, "conversationSignals(conversationId: <channel>) { signals { occurredAt } }",
                                                                                                      "U N N N N + + + + +"),
    row("Subscription.conversationSignals", Public, "conversationSignals(conversationId: <channel>) { signals { occurredAt } }",
                                                                                                      "U F F F N + + + + +"),
    row("Subscription.viewerEvents", Nowhere, "viewerEvents { cursor }",                               "U + + + + + + + + +"),
    row("Subscription.conversationEvents", Direct, "conversationEvents(conversationId: <direct>) { seq }",
                                                                                                      "U N N N N + + + + +"),
    row("Subscription.conversationEvents", Pair, "conversationEvents(conversationId: <direct>) { seq }",
                                                                                                      "U N N N N N + N N +"),
    row("Subscription.conversationSignals", Direct, "conversationSignals(conversationId: <direct>) { signals { occurredAt } }",
                                                                                                      "U N N N N + + + + +"),
    row("Subscription.presences", Nowhere, "presences(userIds: [<owner>]) { users { id } }",           "U + + + + + + + + +"),
];

/// What a member gets who passes an id that is not one to pass.
struct IdRow {
    /// The input object's field, or the field and its argument.
    of: &'static str,
    kind: Id,
    ask: &'static str,
    /// By column: malformed · of another type · of nothing · out of sight · of another conversation in sight.
    get: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Conversation,
    Direct,
    Message,
    Seat,
    User,
    Group,
    Membership,
    Category,
    Notification,
    Device,
    Session,
    OAuthAccount,
    /// Made by alice, who runs the server.
    Invitation,
}

const fn id(of: &'static str, kind: Id, ask: &'static str, get: &'static str) -> IdRow {
    IdRow { of, kind, ask, get }
}

/// The asker, bob, is ADMIN of <here>, which is public, and of <group>, in which <inside> is; and MEMBER elsewhere.
#[rustfmt::skip]
const IDS: &[IdRow] = &[
    //                                                                                                                     m t n s e
    id("Query.node(id)", Id::Message, "{ node(id: <id>) { id } }",                                                        "B B 0 0 +"),
    id("Query.nodes(ids)", Id::Seat, "{ nodes(ids: [<id>]) { id } }",                                                     "B B 0 0 +"),
    id("Query.conversation(id)", Id::Conversation, "{ conversation(id: <id>) { id } }",                                   "B B 0 0 +"),
    id("Query.message(id)", Id::Message, "{ message(id: <id>) { id } }",                                                  "B B 0 0 +"),
    id("ConversationPosition.conversationId", Id::Conversation, "{ conversationEventsSince(positions: [{ conversationId: <id>, after: 0 }]) { conversation { id } } }",
                                                                                                                          "B B 0 0 +"),
    id("ChannelLocator.id", Id::Conversation, "{ channel(by: { id: <id> }) { id } }",                                     "B B 0 0 +"),
    id("UserLocator.id", Id::User, "{ user(by: { id: <id> }) { id } }",                                                   "B B 0 . ."),
    id("MessageAnchor.messageId", Id::Message, "{ conversation(id: <here>) { messagesAround(anchor: { messageId: <id> }) { seq } } }",
                                                                                                                          "B B N N N"),
    id("CreateChannelInput.memberIds", Id::User, "mutation { createChannel(input: { name: \"New\", memberIds: [<id>] }) { channel { id } } }",
                                                                                                                          "B B B . ."),
    id("BlockUserInput.userId", Id::User, "mutation { blockUser(input: { userId: <id> }) { user { id } } }",              "B B N . ."),
    id("UnblockUserInput.userId", Id::User, "mutation { unblockUser(input: { userId: <id> }) { user { id } } }",          "B B N . ."),
    id("OpenDirectConversationInput.userIds", Id::User, "mutation { openDirectConversation(input: { userIds: [<id>] }) { conversation { id } } }",
                                                                                                                          "B B B . ."),
    id("UpdateDirectConversationInput.conversationId", Id::Direct, "mutation { updateDirectConversation(input: { conversationId: <id>, name: \"New\" }) { conversation { id } } }",
                                                                                                                          "B B N N +"),
    id("GroupLocator.id", Id::Group, "{ group(by: { id: <id> }) { id } }",
                                                                                                                          "B B 0 0 +"),
    id("ChannelFilter.groupId", Id::Group, "{ channels(filter: { groupId: <id> }) { nodes { id } } }",
                                                                                                                          "B B 0 0 0"),
    id("InboxFilter.groupId", Id::Group, "{ viewer { conversations(filter: { groupId: <id> }) { nodes { id } } } }",
                                                                                                                          "B B + + +"),
    id("CreateChannelInput.groupId", Id::Group, "mutation { createChannel(input: { name: \"New\", groupId: <id> }) { channel { id } } }",
                                                                                                                          "B B N N +"),
    id("CreateChannelInput.categoryId", Id::Category, "mutation { createChannel(input: { name: \"New\", groupId: <group>, categoryId: <id> }) { channel { id } } }",
                                                                                                                          "B B B B B"),
    id("JoinGroupInput.groupId", Id::Group, "mutation { joinGroup(input: { groupId: <id> }) { group { id } } }",
                                                                                                                          "B B N N +"),
    id("LeaveGroupInput.groupId", Id::Group, "mutation { leaveGroup(input: { groupId: <id> }) { groupId } }",
                                                                                                                          "B B N N +"),
    id("UpdateGroupInput.groupId", Id::Group, "mutation { updateGroup(input: { groupId: <id>, name: \"New\" }) { group { id } } }",
                                                                                                                          "B B N N F"),
    id("ArchiveGroupInput.groupId", Id::Group, "mutation { archiveGroup(input: { groupId: <id> }) { group { id } } }",
                                                                                                                          "B B N N F"),
    id("UnarchiveGroupInput.groupId", Id::Group, "mutation { unarchiveGroup(input: { groupId: <id> }) { group { id } } }",
                                                                                                                          "B B N N F"),
    id("AddGroupMembersInput.groupId", Id::Group, "mutation { addGroupMembers(input: { groupId: <id>, userIds: [<mallory>] }) { members { id } } }",
                                                                                                                          "B B N N F"),
    id("AddGroupMembersInput.userIds", Id::User, "mutation { addGroupMembers(input: { groupId: <group>, userIds: [<id>] }) { rejected { userId } } }",
                                                                                                                          "B B R . ."),
    id("UpdateGroupMemberInput.memberId", Id::Membership, "mutation { updateGroupMember(input: { memberId: <id>, role: GUEST }) { member { id } } }",
                                                                                                                          "B B N N F"),
    id("RemoveGroupMemberInput.memberId", Id::Membership, "mutation { removeGroupMember(input: { memberId: <id> }) { memberId } }",
                                                                                                                          "B B N N F"),
    id("TransferGroupOwnershipInput.memberId", Id::Membership, "mutation { transferGroupOwnership(input: { memberId: <id> }) { owner { id } } }",
                                                                                                                          "B B N N F"),
    id("CreateChannelCategoryInput.groupId", Id::Group, "mutation { createChannelCategory(input: { name: \"New\", groupId: <id> }) { category { id } } }",
                                                                                                                          "B B N N F"),
    id("UpdateChannelCategoryInput.categoryId", Id::Category, "mutation { updateChannelCategory(input: { categoryId: <id>, name: \"New\" }) { category { id } } }",
                                                                                                                          "B B N N F"),
    id("DeleteChannelCategoryInput.categoryId", Id::Category, "mutation { deleteChannelCategory(input: { categoryId: <id> }) { categoryId } }",
                                                                                                                          "B B N N F"),
    id("MoveChannelInput.channelId", Id::Conversation, "mutation { moveChannel(input: { channelId: <id> }) { channel { id } } }",
                                                                                                                          "B B N N F"),
    id("MoveChannelInput.categoryId", Id::Category, "mutation { moveChannel(input: { channelId: <inside>, categoryId: <id> }) { channel { id } } }",
                                                                                                                          "B B B B B"),
    id("MoveChannelInput.afterChannelId", Id::Conversation, "mutation { moveChannel(input: { channelId: <inside>, afterChannelId: <id> }) { channel { id } } }",
                                                                                                                          "B B B B B"),
    id("JoinChannelInput.channelId", Id::Conversation, "mutation { joinChannel(input: { channelId: <id> }) { channel { id } } }",
                                                                                                                          "B B N N +"),
    id("LeaveConversationInput.conversationId", Id::Conversation, "mutation { leaveConversation(input: { conversationId: <id> }) { conversationId } }",
                                                                                                                          "B B N N +"),
    id("AddConversationMembersInput.conversationId", Id::Conversation, "mutation { addConversationMembers(input: { conversationId: <id>, userIds: [<mallory>] }) { members { id } } }",
                                                                                                                          "B B N N F"),
    id("AddConversationMembersInput.userIds", Id::User, "mutation { addConversationMembers(input: { conversationId: <here>, userIds: [<id>] }) { rejected { userId } } }",
                                                                                                                          "B B R . ."),
    id("RemoveConversationMemberInput.memberId", Id::Seat, "mutation { removeConversationMember(input: { memberId: <id> }) { memberId } }",
                                                                                                                          "B B N N F"),
    id("UpdateChannelInput.channelId", Id::Conversation, "mutation { updateChannel(input: { channelId: <id>, topic: \"New\" }) { channel { id } } }",
                                                                                                                          "B B N N F"),
    id("ArchiveChannelInput.channelId", Id::Conversation, "mutation { archiveChannel(input: { channelId: <id> }) { channel { id } } }",
                                                                                                                          "B B N N F"),
    id("UnarchiveChannelInput.channelId", Id::Conversation, "mutation { unarchiveChannel(input: { channelId: <id> }) { channel { id } } }",
                                                                                                                          "B B N N F"),
    id("UpdateConversationMemberInput.memberId", Id::Seat, "mutation { updateConversationMember(input: { memberId: <id>, role: GUEST }) { member { id } } }",
                                                                                                                          "B B N N F"),
    id("TransferConversationOwnershipInput.memberId", Id::Seat, "mutation { transferConversationOwnership(input: { memberId: <id> }) { owner { id } } }",
                                                                                                                          "B B N N F"),
    id("MarkConversationReadInput.conversationId", Id::Conversation, "mutation { markConversationRead(input: { conversationId: <id> }) { viewerState { id } } }",
                                                                                                                          "B B N N +"),
    id("MarkConversationReadInput.messageId", Id::Message, "mutation { markConversationRead(input: { conversationId: <here>, messageId: <id> }) { viewerState { id } } }",
                                                                                                                          "B B B B B"),
    id("MarkConversationUnreadInput.messageId", Id::Message, "mutation { markConversationUnread(input: { messageId: <id> }) { viewerState { id } } }",
                                                                                                                          "B B N N +"),
    id("UpdateConversationViewerStateInput.conversationId", Id::Conversation, "mutation { updateConversationViewerState(input: { conversationId: <id>, isFavorite: true }) { viewerState { id } } }",
                                                                                                                          "B B N N +"),
    id("SendMessageInput.conversationId", Id::Conversation, "mutation { sendMessage(input: { conversationId: <id>, clientKey: <key>, content: \"Hi\" }) { message { id } } }",
                                                                                                                          "B B N N +"),
    id("SendMessageInput.replyToId", Id::Message, "mutation { sendMessage(input: { conversationId: <here>, clientKey: <key>, content: \"Hi\", replyToId: <id> }) { message { id } } }",
                                                                                                                          "B B B B B"),
    id("SendMessageInput.threadRootId", Id::Message, "mutation { sendMessage(input: { conversationId: <here>, clientKey: <key>, content: \"Hi\", threadRootId: <id> }) { message { id } } }",
                                                                                                                          "B B B B B"),
    id("EditMessageInput.messageId", Id::Message, "mutation { editMessage(input: { messageId: <id>, content: \"No\" }) { message { id } } }",
                                                                                                                          "B B N N F"),
    id("DeleteMessageInput.messageId", Id::Message, "mutation { deleteMessage(input: { messageId: <id> }) { message { id } } }",
                                                                                                                          "B B N N F"),
    id("AddReactionInput.messageId", Id::Message, "mutation { addReaction(input: { messageId: <id>, emoji: \"👍\" }) { message { id } } }",
                                                                                                                          "B B N N +"),
    id("RemoveReactionInput.messageId", Id::Message, "mutation { removeReaction(input: { messageId: <id>, emoji: \"👍\" }) { message { id } } }",
                                                                                                                          "B B N N +"),
    id("FollowThreadInput.messageId", Id::Message, "mutation { followThread(input: { messageId: <id> }) { thread { id } } }",
                                                                                                                          "B B N N +"),
    id("UnfollowThreadInput.messageId", Id::Message, "mutation { unfollowThread(input: { messageId: <id> }) { thread { id } } }",
                                                                                                                          "B B N N +"),
    id("MarkThreadReadInput.messageId", Id::Message, "mutation { markThreadRead(input: { messageId: <id> }) { thread { id } } }",
                                                                                                                          "B B N N +"),
    id("UnregisterPushDeviceInput.pushDeviceId", Id::Device, "mutation { unregisterPushDevice(input: { pushDeviceId: <id> }) { pushDeviceId } }",
                                                                                                                          "B B N N +"),
    id("RevokeSessionsInput.sessionId", Id::Session, "mutation { revokeSessions(input: { sessionId: <id> }) { sessionIds } }",
                                                                                                                          "B B N N +"),
    id("UnlinkOAuthAccountInput.oauthAccountId", Id::OAuthAccount, "mutation { unlinkOAuthAccount(input: { oauthAccountId: <id>, currentPassword: \"correct horse battery\" }) { oauthAccountId } }",
                                                                                                                          "B B N N +"),
    id("InvitationFilter.groupId", Id::Group, "{ admin { invitations(filter: { groupId: <id> }) { nodes { id } } } }",    "F F F F F"),
    id("CreateInvitationInput.groupId", Id::Group, "mutation { createInvitation(input: { groupId: <id> }) { token } }",   "B B F F F"),
    id("RevokeInvitationInput.invitationId", Id::Invitation, "mutation { revokeInvitation(input: { invitationId: <id> }) { invitation { id } } }",
                                                                                                                          "B B F F F"),
    id("ThreadFilter.conversationId", Id::Conversation, "{ viewer { threads(filter: { conversationId: <id> }) { nodes { id } } } }",
                                                                                                                          "B B + + +"),
    id("MentionFilter.conversationId", Id::Conversation, "{ viewer { mentions(filter: { conversationId: <id> }) { nodes { id } } } }",
                                                                                                                          "B B + + +"),
    id("NotificationFilter.conversationId", Id::Conversation, "{ viewer { notifications(filter: { conversationId: <id> }) { nodes { id } } } }",
                                                                                                                          "B B + + +"),
    id("MarkNotificationsReadInput.conversationId", Id::Conversation, "mutation { markNotificationsRead(input: { conversationId: <id> }) { markedCount } }",
                                                                                                                          "B B N N +"),
    id("MarkNotificationsReadInput.notificationIds", Id::Notification, "mutation { markNotificationsRead(input: { notificationIds: [<id>] }) { notifications { id } } }",
                                                                                                                          "B B + + +"),
    id("DeleteNotificationsInput.notificationIds", Id::Notification, "mutation { deleteNotifications(input: { notificationIds: [<id>] }) { notificationIds } }",
                                                                                                                          "B B + + +"),
    id("PinMessageInput.messageId", Id::Message, "mutation { pinMessage(input: { messageId: <id> }) { message { id } } }",
                                                                                                                          "B B N N F"),
    id("UnpinMessageInput.messageId", Id::Message, "mutation { unpinMessage(input: { messageId: <id> }) { message { id } } }",
                                                                                                                          "B B N N F"),
    id("Subscription.conversationEvents(conversationId)", Id::Conversation, "subscription { conversationEvents(conversationId: <id>) { seq } }",
                                                                                                                          "B B N N +"),
    id("Subscription.conversationSignals(conversationId)", Id::Conversation, "subscription { conversationSignals(conversationId: <id>) { signals { occurredAt } } }",
                                                                                                                          "B B N N +"),
    id("Subscription.presences(userIds)", Id::User, "subscription { presences(userIds: [<id>]) { users { id } } }",         "B B + . ."),
    id("SetTypingInput.conversationId", Id::Conversation, "mutation { setTyping(input: { conversationId: <id> }) { expiresAt } }",
                                                                                                                          "B B N N +"),
    id("SetTypingInput.threadRootId", Id::Message, "mutation { setTyping(input: { conversationId: <here>, threadRootId: <id> }) { expiresAt } }",
                                                                                                                          "B B B B B"),
];

// The tables are whole.

#[test]
fn every_root_field_and_every_node_has_its_row() {
    let tables = [READS, SIGN_INS, WRITES_IN_PRIVATE, WRITES_IN_PUBLIC, WRITES_IN_DIRECT, WRITES_IN_GROUPS, STREAMS]
        .into_iter()
        .flatten();
    let rows: BTreeSet<String> = tables.flat_map(|row| row.of.split(' ').map(str::to_owned)).collect();
    let roots = ["Query", "Mutation", "Subscription"];
    let fields = roots.iter().flat_map(|root| sdl::fields(root).into_iter().map(move |f| format!("{root}.{}", f.name)));
    let wanted: BTreeSet<String> = fields.chain(sdl::implementors("Node")).collect();
    assert_eq!(rows, wanted, "left: what has a row, right: what the SDL has");
}

#[test]
fn whatever_needs_no_sign_in_is_paid_for_by_the_address() {
    let tables = [READS, SIGN_INS, WRITES_IN_PRIVATE, WRITES_IN_PUBLIC, WRITES_IN_DIRECT, WRITES_IN_GROUPS];
    let open = tables.into_iter().flatten().filter(|row| !row.get.starts_with('U'));
    let open: BTreeSet<&str> = open.filter_map(|row| row.of.strip_prefix("Mutation.")).collect();
    assert!(open.contains("login"));
    for field in open {
        let is_paid = Budget::of_mutation(field).is_some_and(Budget::is_of_address);
        // A refresh counts as a request.
        assert!(is_paid || field == "refreshSession", "{field}");
    }
}

#[test]
fn every_input_that_takes_an_id_has_its_row() {
    let rows: BTreeSet<String> = IDS.iter().map(|row| row.of.to_owned()).collect();
    let is_id = |input: &&sdl::Input| input.kind == "ID";
    let mut wanted = BTreeSet::new();
    for object in sdl::input_objects() {
        wanted.extend(object.fields.iter().filter(is_id).map(|field| format!("{}.{}", object.name, field.name)));
    }
    for (object, fields) in sdl::objects() {
        for field in fields {
            let ids = field.arguments.iter().filter(is_id);
            wanted.extend(ids.map(|argument| format!("{object}.{}({})", field.name, argument.name)));
        }
    }
    assert_eq!(rows, wanted, "left: what has a row, right: what the SDL has");
}

// The tables hold.

#[tokio::test]
async fn nobody_reads_what_is_out_of_their_sight() {
    World::new().await.holds("query", READS).await;
}

#[tokio::test]
async fn whoever_has_no_token_can_get_one_and_nothing_else() {
    World::new().await.holds("mutation", SIGN_INS).await;
}

#[tokio::test]
async fn nobody_writes_in_a_private_channel_without_the_right() {
    World::new().await.holds("mutation", WRITES_IN_PRIVATE).await;
}

#[tokio::test]
async fn nobody_writes_in_a_public_channel_without_the_right() {
    World::new().await.holds("mutation", WRITES_IN_PUBLIC).await;
}

#[tokio::test]
async fn in_a_direct_conversation_all_are_alike_and_everybody_else_is_a_stranger() {
    World::new().await.holds("mutation", WRITES_IN_DIRECT).await;
}

#[tokio::test]
async fn nobody_writes_in_a_group_without_the_right() {
    World::new().await.holds("mutation", WRITES_IN_GROUPS).await;
}

#[tokio::test]
async fn nobody_follows_what_is_out_of_their_sight() {
    World::new().await.holds("subscription", STREAMS).await;
}

#[tokio::test]
async fn an_id_of_something_else_gets_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (carol, mallory) = (server.register("carol").await, server.register("mallory").await);
    let here = alice.public_channel("Here").await;
    alice.add(&here, &[&bob], "ADMIN").await;
    let group = new_group(&alice, "PUBLIC").await;
    add_to_group(&alice, &group, &[&bob], "ADMIN").await;
    let inside = alice.create_channel(json!({ "name": "Inside", "groupId": group })).await;
    let mut wrong = Vec::new();
    for row in IDS {
        // All that is elsewhere is new for each row: some leave it.
        let elsewhere = alice.private_channel("Elsewhere", &[&bob, &carol]).await;
        let hidden = mallory.private_channel("Hidden", &[&carol]).await;
        let (group_elsewhere, hidden_group) =
            (new_group(&alice, "PRIVATE").await, new_group(&mallory, "PRIVATE").await);
        let mut ids = Vec::new();
        for (conversation, group, owner) in
            [(&here, &group, &alice), (&hidden, &hidden_group, &mallory), (&elsewhere, &group_elsewhere, &alice)]
        {
            ids.push(match row.kind {
                Id::Group => group.clone(),
                // Carol is in all of them, and bob is where he may see it.
                Id::Membership => add_to_group(owner, group, &[&carol], "MEMBER").await.remove(0),
                Id::Category => new_category(owner, group).await,
                Id::Conversation => conversation.clone(),
                Id::Direct if *conversation == here => alice.direct_with(&[&bob, &carol]).await,
                Id::Direct if *conversation == hidden => mallory.direct_with(&[&alice, &carol]).await,
                Id::Direct => alice.direct_with(&[&bob, &mallory]).await,
                Id::Message => text(&owner.say(conversation, "Hi").await["id"]),
                Id::Seat if *conversation == here => alice.seat_of(conversation, &bob).await,
                Id::Seat => owner.seat_of(conversation, &carol).await,
                Id::User => carol.id.clone(),
                // Bob's own, or somebody else's.
                Id::Notification => {
                    let whose = if *conversation == hidden { &carol } else { &bob };
                    owner.say(conversation, &format!("<@{}>", whose.id)).await;
                    latest_notification(whose).await
                }
                Id::Device if *conversation == hidden => new_device(owner).await,
                Id::Device => new_device(&bob).await,
                Id::Session if *conversation == hidden => new_session(owner).await,
                Id::Session => new_session(&bob).await,
                Id::OAuthAccount if *conversation == hidden => new_oauth_account(&server, owner).await,
                Id::OAuthAccount => new_oauth_account(&server, &bob).await,
                Id::Invitation => new_invitation(&alice).await,
            });
        }
        add_to_group(&alice, &group_elsewhere, &[&bob], "MEMBER").await;
        let (prefix, suffix) = ids[0].rsplit_once('_').unwrap();
        // The very number, under another name. Of those that `node` knows, it would find another thing.
        let other = if row.of.starts_with("Query.node") || row.kind == Id::Session { "audit" } else { "session" };
        let nothing = chinwag::id::encode(prefix, Uuid::new_v4());
        let columns = [format!("{prefix}_0"), format!("{other}_{suffix}"), nothing, ids[1].clone(), ids[2].clone()];
        let expected: Vec<&str> = row.get.split(' ').collect();
        assert_eq!(expected.len(), columns.len(), "{}", row.of);
        for (id, expected) in columns.iter().zip(expected).filter(|(_, expected)| *expected != ".") {
            let words = BTreeMap::from([
                ("id", id.clone()),
                ("here", here.clone()),
                ("mallory", mallory.id.clone()),
                ("group", group.clone()),
                ("inside", inside.clone()),
            ]);
            let before = server.database.contents().await;
            let (got, answer) = get(&bob, &filled(row.ask, &words), &here).await;
            if got != expected {
                wrong.push(format!("{} {id}: not {expected} but {got}: {answer}", row.of));
            }
            if got != "+" {
                assert_eq!(server.database.contents().await, before, "{} {id}: refused, and changed something", row.of);
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}\n", legend(), wrong.join("\n"));
}

/// The kind of a conversation is in its id: under the other one there is nothing.
#[tokio::test]
async fn a_channel_is_no_direct_conversation() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Here").await;
    let direct = channel.replace("chan_", "dm_");
    for (ask, expected) in [
        ("{ node(id: <id>) { id } }", "0"),
        ("{ conversation(id: <id>) { id } }", "0"),
        ("{ channel(by: { id: <id> }) { id } }", "B"),
        (
            "mutation { sendMessage(input: { conversationId: <id>, clientKey: <key>, content: \"Hi\" }) { isReplay } }",
            "N",
        ),
        ("mutation { leaveConversation(input: { conversationId: <id> }) { conversationId } }", "N"),
        ("mutation { markConversationRead(input: { conversationId: <id> }) { viewerState { id } } }", "N"),
        (
            "mutation { updateConversationViewerState(input: { conversationId: <id>, isHidden: true }) {
                viewerState { id } } }",
            "N",
        ),
        ("mutation { joinChannel(input: { channelId: <id> }) { channel { id } } }", "B"),
        ("subscription { conversationEvents(conversationId: <id>) { seq } }", "N"),
    ] {
        let words = BTreeMap::from([("id", direct.clone())]);
        let (got, answer) = get(&alice, &filled(ask, &words), &channel).await;
        assert_eq!(got, expected, "{ask}: {answer}");
    }
}

#[tokio::test]
async fn a_direct_conversation_is_no_channel() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let direct = alice.direct_with(&[&bob, &carol]).await;
    for (ask, of_direct, of_channel) in [
        ("{ node(id: <id>) { id } }", "+", "0"),
        ("{ conversation(id: <id>) { id } }", "+", "0"),
        ("{ channel(by: { id: <id> }) { id } }", "B", "0"),
        ("mutation { joinChannel(input: { channelId: <id> }) { channel { id } } }", "B", "N"),
        ("mutation { updateChannel(input: { channelId: <id>, topic: \"New\" }) { channel { id } } }", "B", "N"),
        ("mutation { archiveChannel(input: { channelId: <id> }) { channel { id } } }", "B", "N"),
        (
            "mutation { updateDirectConversation(input: { conversationId: <id>, name: \"New\" }) { conversation { id } } }",
            "+",
            "B",
        ),
        (
            "mutation { sendMessage(input: { conversationId: <id>, clientKey: <key>, content: \"Hi\" }) { isReplay } }",
            "+",
            "N",
        ),
        ("subscription { conversationEvents(conversationId: <id>) { seq } }", "+", "N"),
        ("mutation { leaveConversation(input: { conversationId: <id> }) { conversationId } }", "+", "N"),
    ] {
        for (id, expected) in [(direct.replace("dm_", "chan_"), of_channel), (direct.clone(), of_direct)] {
            let words = BTreeMap::from([("id", id)]);
            let (got, answer) = get(&alice, &filled(ask, &words), &direct).await;
            assert_eq!(got, expected, "{ask}: {answer}");
        }
    }
}

// The people and places of the tables.

struct World {
    server: TestServer,
    people: Vec<Actor>,
}

/// The words in <> of a row, by what they stand for.
type Words = BTreeMap<&'static str, String>;

impl World {
    async fn new() -> Self {
        // One that is asked nothing before somebody comes back.
        let server = TestServer::start_with(|config| {
            config.oauth.redirect_urls = vec!["https://app.example.org/oauth".into()];
            config.oauth.providers = vec![ProviderConfig {
                key: "github".into(),
                name: "GitHub".into(),
                icon_url: None,
                issuer: "https://github.com".into(),
                client_id: "a client".into(),
                client_secret: "its secret".into(),
                kind: ProviderKind::GitHub { api: "https://api.github.com".into() },
            }];
        })
        .await;
        let mut people = vec![server.anonymous()];
        for name in &PEOPLE[1..] {
            people.push(server.register(name).await);
        }
        // The operator runs the server, and puts its channels in order.
        let input = json!({ "input": { "name": "Heading" } });
        people[1].ask(CREATE_CATEGORY, input).await.data("createChannelCategory");
        Self { server, people }
    }

    fn person(&self, name: &str) -> &Actor {
        &self.people[PEOPLE.iter().position(|known| *known == name).unwrap()]
    }

    /// Everybody gets what the rows say. What was changed is made anew for the next.
    async fn holds(&self, operation: &str, rows: &[Row]) {
        let mut wrong = Vec::new();
        for row in rows {
            let expected: Vec<&str> = row.get.split(' ').collect();
            assert_eq!(expected.len(), PEOPLE.len(), "{}", row.of);
            let mut untouched = None;
            for (column, expected) in expected.into_iter().enumerate() {
                let (mut words, before) = match untouched.take() {
                    Some(untouched) => untouched,
                    None => (self.build(row.place).await, Vec::new()),
                };
                let (actor, session) = self.signed_in(column, row).await;
                let before = match before.is_empty() || !session.is_empty() {
                    true => self.server.database.contents().await,
                    false => before,
                };
                words.extend(session);
                let ask = format!("{operation} {{ {} }}", filled(row.ask, &words));
                // A list of groups shows the group.
                let listed = if row.of == "Query.groups" { "group" } else { "channel" };
                let channel = words.get(listed).map_or("", String::as_str);
                let (got, answer) = get(&actor, &ask, channel).await;
                if got != expected {
                    let (of, place, who) = (row.of, row.place, PEOPLE[column]);
                    wrong.push(format!("{of} {place:?} {ask}\n    {who}: not {expected} but {got}: {answer}"));
                }
                // Of who follows it is taken down that they read.
                if operation == "query" || got != "+" {
                    let after = self.server.database.contents().await;
                    assert_eq!(after, before, "{ask} of {}: refused, and changed something", PEOPLE[column]);
                    untouched = Some((words, before));
                }
            }
        }
        assert!(wrong.is_empty(), "{}\n{}\n", legend(), wrong.join("\n"));
    }

    /// Somebody of a column. What ends sessions gets one of its own.
    async fn signed_in(&self, column: usize, row: &Row) -> (Actor, Words) {
        if !["Mutation.logout", "Mutation.refreshSession"].contains(&row.of) {
            return (self.people[column].clone(), Words::new());
        }
        let name = if column == 0 { "owner" } else { PEOPLE[column] };
        let again = Actor::log_in(self.server.address, name).await;
        let words = Words::from([("refresh token", again.refresh_token.clone())]);
        (if column == 0 { self.people[0].clone() } else { again }, words)
    }

    /// A place with everybody in it as their column says, and what they wrote.
    async fn build(&self, place: Place) -> Words {
        let owner = self.person("owner");
        let mut words = Words::from([("password", PASSWORD.to_owned())]);
        words.extend(PEOPLE[1..].iter().map(|name| (*name, self.person(name).id.clone())));
        let me = owner.query("{ viewer { id session { id } } }").await.data("viewer");
        let viewer = text(&me["id"]);
        words.insert("subscription", Browser::at("https://push.example.org").subscription());
        words.extend([
            ("invitation", new_invitation(self.person("operator")).await),
            ("owner's device", new_device(owner).await),
            ("owner's oauth account", new_oauth_account(&self.server, self.person("owner")).await),
            ("challenge", "c".repeat(42) + "A"),
            ("owner's preferences", viewer.replace("viewer_", "pref_")),
            ("owner's viewer", viewer),
            ("owner's session", text(&me["session"]["id"])),
        ]);
        let people = |names: &[&str]| names.iter().map(|name| self.person(name)).collect::<Vec<_>>();
        let input = match place {
            Nowhere => return words,
            PrivateGroup | PublicGroup => {
                words.extend(self.build_group(if place == PublicGroup { "PUBLIC" } else { "PRIVATE" }).await);
                return words;
            }
            Public => json!({ "name": Uuid::new_v4().to_string() }),
            Private => json!({ "name": "Place", "visibility": "PRIVATE" }),
            Announcements => json!({ "name": "Place", "visibility": "PRIVATE", "postingRole": "ADMIN" }),
            Direct | Pair => json!(null),
        };
        let channel = match place {
            Pair => owner.direct_with(&people(&["member"])).await,
            Direct => owner.direct_with(&people(&["guest", "member", "left", "banned", "moderator", "admin"])).await,
            _ => {
                let channel = owner.create_channel(input).await;
                for (role, names) in [
                    ("GUEST", &["guest"][..]),
                    ("MEMBER", &["member", "left", "banned"]),
                    ("MODERATOR", &["moderator"]),
                    ("ADMIN", &["admin"]),
                ] {
                    owner.add(&channel, &people(names), role).await;
                }
                channel
            }
        };
        let named = if place == Pair { String::new() } else { format!("<@{}> <@{}>", words["member"], words["left"]) };
        let root = text(&owner.say(&channel, &format!("Hi {named}")).await["id"]);
        if place != Pair {
            words.insert("member's notification", latest_notification(self.person("member")).await);
            words.insert("left's notification", latest_notification(self.person("left")).await);
        }
        words.insert("thread", root.replace("msg_", "thread_"));
        owner.write(json!({ "conversationId": channel, "content": "Hi", "threadRootId": root })).await;
        words.insert("owner's message", root);
        if place == Pair {
            words.insert("direct", channel);
            return words;
        }
        if place != Announcements {
            for (name, message) in [
                ("member", "member's message"),
                ("moderator", "moderator's message"),
                ("left", "left's message"),
                ("banned", "banned's message"),
            ] {
                words.insert(message, text(&self.person(name).say(&channel, "Hi").await["id"]));
            }
        }
        words.extend(self.seats(&channel).await);
        for (seat, inbox) in
            [("member's seat", "member's inbox"), ("left's seat", "left's inbox"), ("banned's seat", "banned's inbox")]
        {
            words.insert(inbox, words[seat].replace("member_", "inbox_"));
        }
        self.person("left").leave(&channel).await;
        self.ban(&channel, &words["banned's seat"]).await;
        words.insert(if place == Direct { "direct" } else { "channel" }, channel);
        words
    }

    /// A group with everybody in it as their column says, a category, and a channel that its owner is in.
    async fn build_group(&self, visibility: &str) -> Words {
        let owner = self.person("owner");
        let group = new_group(owner, visibility).await;
        for (role, names) in [
            ("GUEST", &["guest"][..]),
            ("MEMBER", &["member", "left", "banned"]),
            ("MODERATOR", &["moderator"]),
            ("ADMIN", &["admin"]),
        ] {
            let people: Vec<&Actor> = names.iter().map(|name| self.person(name)).collect();
            add_to_group(owner, &group, &people, role).await;
        }
        let category = new_category(owner, &group).await;
        let channel = owner.create_channel(json!({ "name": "Inside", "groupId": group, "categoryId": category })).await;
        let message = text(&owner.say(&channel, "Hi").await["id"]);
        let ask = "query($id: ID!) { group(by: { id: $id }) { slug members(first: 100) { nodes { id user { username } } } } }";
        let found = owner.ask(ask, json!({ "id": group })).await.data("group");
        let mut words: Words = named_seats(&found["members"]).collect();
        let leave = "mutation($id: ID!) { leaveGroup(input: { groupId: $id }) { groupId } }";
        self.person("left").ask(leave, json!({ "id": group })).await.data("leaveGroup");
        // There is no way to ban yet but the table.
        let (_, banned) = chinwag::id::decode(&words["banned's seat"]).unwrap();
        let (_, id) = chinwag::id::decode(&group).unwrap();
        let ban = format!(
            "UPDATE group_members SET left_at = joined_at, departure = 'BANNED' WHERE id = '{banned}';
             UPDATE groups SET member_count = member_count - 1 WHERE id = '{id}'"
        );
        self.server.database.execute(&ban).await;
        words.insert("group's slug", found["slug"].as_str().unwrap_or_default().to_owned());
        words.extend([("group", group), ("category", category), ("channel", channel), ("owner's message", message)]);
        words
    }

    /// Everybody's seat, and the address of the channel.
    async fn seats(&self, channel: &str) -> Words {
        let ask = "query($id: ID!) { conversation(id: $id) { ... on Channel { slug }
            members(first: 100) { nodes { id user { username } } } } }";
        let found = self.person("owner").ask(ask, json!({ "id": channel })).await.data("conversation");
        let seats = named_seats(&found["members"]);
        seats.chain([("slug", found["slug"].as_str().unwrap_or_default().to_owned())]).collect()
    }

    /// There is no way to ban yet but the table.
    async fn ban(&self, channel: &str, seat: &str) {
        let (_, seat) = chinwag::id::decode(seat).unwrap();
        let (_, channel) = chinwag::id::decode(channel).unwrap();
        let ban = format!(
            "UPDATE conversation_members SET left_at = joined_at, departure = 'BANNED' WHERE id = '{seat}';
             UPDATE conversations SET member_count = member_count - 1 WHERE id = '{channel}'"
        );
        self.server.database.execute(&ban).await;
    }
}

async fn latest_notification(of: &Actor) -> String {
    let viewer = of.query("{ viewer { notifications(first: 1) { nodes { id } } } }").await.data("viewer");
    text(&viewer["notifications"]["nodes"][0]["id"])
}

/// Everybody's seat, or membership of a group.
fn named_seats(members: &Value) -> impl Iterator<Item = (&'static str, String)> {
    members["nodes"].as_array().unwrap().iter().map(|seat| {
        let name = match seat["user"]["username"].as_str().unwrap() {
            "guest" => "guest's seat",
            "member" => "member's seat",
            "left" => "left's seat",
            "banned" => "banned's seat",
            "the-moderator" => "moderator's seat",
            "the-admin" => "admin's seat",
            "owner" => "owner's seat",
            other => panic!("{other} is no member"),
        };
        (name, text(&seat["id"]))
    })
}

/// Of somebody who wants no pushes: nobody asks its service, and notes that it does not answer, while tables are compared.
async fn new_device(owner: &Actor) -> String {
    owner.prefer(json!({ "notifications": { "isPushEnabled": false } })).await;
    let ask = "mutation($token: String!) { registerPushDevice(input: { platform: WEB_PUSH, token: $token }) {
        pushDevice { id } } }";
    let token = Browser::at("https://push.example.org").subscription();
    text(&owner.ask(ask, json!({ "token": token })).await.data("registerPushDevice")["pushDevice"]["id"])
}

async fn new_session(whose: &Actor) -> String {
    let ask = "mutation($name: String!, $password: String!) {
        login(input: { identifier: $name, password: $password }) { session { id } } }";
    text(&whose.ask(ask, json!({ "name": whose.name, "password": PASSWORD })).await.data("login")["session"]["id"])
}

/// An account elsewhere that is linked to somebody's.
async fn new_oauth_account(server: &TestServer, whose: &Actor) -> String {
    let (id, owner) = (OAuthAccountId::at(server.clock.now()), UserId::parse(&whose.id).unwrap());
    let values = format!("'{}', '{}', 'https://github.com', '{}', 'linked', now()", id.0, owner.0, Uuid::new_v4());
    server.database.execute(&format!("INSERT INTO oauth_accounts VALUES ({values})")).await;
    id.to_string()
}

async fn new_invitation(admin: &Actor) -> String {
    let ask = "mutation { createInvitation(input: {}) { invitation { id } } }";
    text(&admin.query(ask).await.data("createInvitation")["invitation"]["id"])
}

async fn new_group(owner: &Actor, visibility: &str) -> String {
    let ask = "mutation($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }";
    let input = json!({ "name": Uuid::new_v4().to_string(), "visibility": visibility });
    text(&owner.ask(ask, json!({ "input": input })).await.data("createGroup")["group"]["id"])
}

async fn add_to_group(owner: &Actor, group: &str, people: &[&Actor], role: &str) -> Vec<String> {
    let ask = "mutation($input: AddGroupMembersInput!) { addGroupMembers(input: $input) { members { id } } }";
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    let input = json!({ "groupId": group, "userIds": ids, "role": role });
    let added = owner.ask(ask, json!({ "input": input })).await.data("addGroupMembers");
    added["members"].as_array().unwrap().iter().map(|member| text(&member["id"])).collect()
}

const CREATE_CATEGORY: &str = "mutation($input: CreateChannelCategoryInput!) { createChannelCategory(input: $input) {
    category { id } } }";

async fn new_category(owner: &Actor, group: &str) -> String {
    let input = json!({ "name": "Heading", "groupId": group });
    text(&owner.ask(CREATE_CATEGORY, json!({ "input": input })).await.data("createChannelCategory")["category"]["id"])
}

/// An operation with its words filled in. Some are new each time.
fn filled(ask: &str, words: &BTreeMap<&str, String>) -> String {
    let fresh = Uuid::new_v4().simple().to_string();
    let mut text = ask
        .replace("<key>", &format!("{fresh:?}"))
        .replace("<name>", &format!("{:?}", &fresh[..20]))
        .replace("<address>", &format!("\"{fresh}@example.org\""));
    for (word, meaning) in words {
        text = text.replace(&format!("<{word}>"), &format!("{meaning:?}"));
    }
    assert!(!text.contains('<'), "a word without a meaning: {text}");
    text
}

/// What somebody gets, as a letter of the tables, and all of the answer.
async fn get(actor: &Actor, ask: &str, channel: &str) -> (String, Value) {
    if !ask.starts_with("subscription") {
        let Answer(answer) = actor.query(ask).await;
        return (letter(&answer, channel), answer);
    }
    let message = actor.socket().await.run(ask, json!({})).message().await;
    // A request error is the list itself, an event is an answer.
    let answer = match message["type"].as_str().unwrap() {
        "error" => json!({ "errors": message["payload"] }),
        _ => message["payload"].clone(),
    };
    (letter(&answer, channel), answer)
}

fn letter(answer: &Value, channel: &str) -> String {
    if let Some(errors) = answer["errors"].as_array() {
        let is_null = answer.get("data").is_none_or(|data| data.is_null() || only(data).is_null());
        return match errors[0]["extensions"]["code"].as_str() {
            _ if errors.len() != 1 || !is_null => "several errors, or data beside one".to_owned(),
            Some("UNAUTHENTICATED") => "U".to_owned(),
            Some("NOT_FOUND") => "N".to_owned(),
            Some("FORBIDDEN") => "F".to_owned(),
            Some("BAD_USER_INPUT") => "B".to_owned(),
            Some("FAILED_PRECONDITION") => "P".to_owned(),
            Some("INVALID_CREDENTIALS") => "I".to_owned(),
            Some("TOKEN_INVALID") => "T".to_owned(),
            other => format!("{other:?}"),
        };
    }
    let data = only(&answer["data"]);
    let is_channel = |node: &Value| node["id"] == channel;
    let letter = match data {
        Value::Null => "0",
        // Of several nodes, all or none.
        Value::Array(nodes) if nodes.iter().all(Value::is_null) => "0",
        Value::Array(nodes) if nodes.iter().any(Value::is_null) => "some but not all",
        // A list of channels shows it or does not.
        Value::Object(page) if page.contains_key("nodes") => {
            match page["nodes"].as_array().unwrap().iter().any(is_channel) {
                true => "+",
                false => "0",
            }
        }
        Value::Object(payload) if payload.get("rejected").is_some_and(|rejected| *rejected != json!([])) => "R",
        _ => "+",
    };
    letter.to_owned()
}

/// The one field at the root.
fn only(data: &Value) -> &Value {
    let fields = data.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{data}");
    fields.values().next().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn legend() -> &'static str {
    "+ data, 0 null, U UNAUTHENTICATED, N NOT_FOUND, F FORBIDDEN, B BAD_USER_INPUT, P FAILED_PRECONDITION, \
     I INVALID_CREDENTIALS, T TOKEN_INVALID, R rejected"
}
