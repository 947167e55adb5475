//! The schema: the areas' fields merged, and what belongs to no area.

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions};

use crate::accounts::addresses::graphql::AddressMutation;
use crate::accounts::devices::graphql::DeviceMutation;
use crate::accounts::graphql::{AccountMutation, AccountQuery};
use crate::accounts::passwords::graphql::PasswordMutation;
use crate::accounts::preferences::graphql::PreferencesMutation;
use crate::accounts::second_factor::graphql::SecondFactorMutation;
use crate::admin::graphql::AdminQuery;
use crate::conversations::graphql::{
    CategoryMutation, CategoryQuery, ConversationMutation, ConversationQuery, ConversationSubscription,
};
use crate::farewell::graphql::FarewellMutation;
use crate::groups::graphql::{GroupMutation, GroupQuery};
use crate::invitations::graphql::InvitationMutation;
use crate::messages::graphql::{MessageMutation, MessageQuery};
use crate::messages::pins::graphql::PinMutation;
use crate::messages::reactions::graphql::ReactionMutation;
use crate::messages::threads::graphql::ThreadMutation;
use crate::notifications::graphql::NotificationMutation;
use crate::oauth::graphql::OAuthMutation;
use crate::presence::graphql::{PresenceMutation, PresenceSubscription};
use crate::reads::graphql::ReadMutation;
use crate::users::graphql::{UserMutation, UserQuery};
use crate::viewer_events::graphql::ViewerSubscription;

mod answer;
mod documents;
pub mod execute;
mod guard;
mod node;
mod plan;
mod public;
mod server;
pub mod subscribe;
mod variables;

pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Reads. A lookup that finds nothing the viewer may see is null without an error, whether or not the thing exists. All
/// but `server` and `viewer` need a sign-in, otherwise UNAUTHENTICATED.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    server::ServerQuery,
    AccountQuery,
    UserQuery,
    GroupQuery,
    ConversationQuery,
    CategoryQuery,
    MessageQuery,
    AdminQuery,
);

/// Writes. Each field takes one `input` and returns its own payload, which is null only together with an entry in
/// `errors`. What is so already succeeds without a new version. All but sign-in, registration, reset and verification need
/// a sign-in, otherwise UNAUTHENTICATED.
#[derive(MergedObject, Default)]
pub struct Mutation(
    AccountMutation,
    AddressMutation,
    PasswordMutation,
    SecondFactorMutation,
    OAuthMutation,
    PreferencesMutation,
    DeviceMutation,
    UserMutation,
    GroupMutation,
    ConversationMutation,
    CategoryMutation,
    PresenceMutation,
    ReadMutation,
    NotificationMutation,
    MessageMutation,
    ReactionMutation,
    PinMutation,
    ThreadMutation,
    InvitationMutation,
    FarewellMutation,
);

/// Streams. Each begins with a delivery at once, which says that the stream is live, and completes when its session or the
/// sight of what it is about ends. Of what is out of sight comes one error, NOT_FOUND.
#[derive(MergedSubscription, Default)]
pub struct Subscription(ViewerSubscription, ConversationSubscription, PresenceSubscription);

/// The schema that serves requests. It has no extension: any, even an empty one, makes a large query half as slow again.
pub fn schema() -> Schema {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(guard::DEPTH as usize)
        // The guard in front knows fragments by heart; this one counts them too, and must not be the stricter.
        .limit_recursive_depth(guard::NESTING as usize)
        .disable_suggestions()
        .finish()
}

/// The schema as its clients read it.
pub fn sdl() -> String {
    schema().sdl_with_options(
        SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by().use_space_ident(),
    )
}
