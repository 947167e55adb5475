//! Who comes from a provider, and whose account they get.

use chinwag::config::RegistrationPolicy;

use super::*;

#[tokio::test]
async fn whoever_comes_gets_an_account_and_comes_back_to_it() {
    let offered = Offered::new().await;
    let server =
        offered.anonymous().query("{ server { features oauthProviders { key name iconUrl } } }").await.data("server");
    assert!(server["features"].as_array().unwrap().contains(&json!("OAUTH")));
    let logo = "https://example.org/logo.svg";
    let work = json!({ "key": "work", "name": "The work one", "iconUrl": logo });
    let github = json!({ "key": "github", "name": "The github one", "iconUrl": logo });
    assert_eq!(server["oauthProviders"], json!([work, github]));
    for (number, provider) in ["work", "github"].into_iter().enumerate() {
        let alice = Person::new(7 + number as u64, &format!("alice{number}"));
        let first = offered.sign_in(provider, &alice).await.data("completeOAuth");
        assert_eq!((&first["isNewUser"], &first["session"]["isCurrent"]), (&json!(true), &json!(true)));
        let viewer = &first["viewer"];
        assert_eq!(viewer["user"]["username"], json!(alice.handle));
        assert_eq!(viewer["user"]["displayName"], json!(alice.name));
        assert_eq!((&viewer["email"], &viewer["isEmailVerified"]), (&json!(alice.email), &json!(true)));
        assert_eq!(viewer["hasPassword"], json!(false));
        assert_eq!(first["oauthAccount"]["provider"]["key"], json!(provider));
        assert_eq!(viewer["oauthAccounts"], json!([{ "id": first["oauthAccount"]["id"] }]));
        // Under another name and address it is the same account.
        let renamed = Person { handle: "someone".into(), email: Some("else@example.org".into()), ..alice };
        let second = offered.sign_in(provider, &renamed).await;
        let again = second.data("completeOAuth");
        assert_eq!((&again["isNewUser"], &again["viewer"]["id"]), (&json!(false), &viewer["id"]));
        assert_eq!(again["oauthAccount"], first["oauthAccount"]);
        let found = "query($id: ID!) { node(id: $id) { id ... on OAuthAccount { label } } }";
        let found = offered.who(&second).ask(found, json!({ "id": again["oauthAccount"]["id"] })).await.data("node");
        assert_eq!(found["label"], first["oauthAccount"]["label"]);
    }
    assert_eq!((offered.count("accounts").await, offered.count("oauth_states").await), (2, 0));
}

#[tokio::test]
async fn nothing_of_a_provider_s_tokens_is_kept() {
    let offered = Offered::new().await;
    offered.sign_in("work", &Person::new(1, "alice")).await.data("completeOAuth");
    let columns =
        "SELECT count(*) FROM information_schema.columns WHERE table_name LIKE 'oauth%' AND column_name LIKE '%token%'";
    assert_eq!(offered.server().database.count(columns).await, 0);
}

#[tokio::test]
async fn an_account_is_found_by_an_address_that_both_sides_have_seen_proven() {
    let offered = Offered::new().await;
    let alice = offered.world.proven("alice").await;
    let answer = offered.sign_in("github", &Person::new(1, "alice")).await;
    assert_eq!(answer.data("completeOAuth")["isNewUser"], json!(false));
    assert_eq!(offered.who(&answer).id, alice.id);
    let told = "Your account can be signed in to by an account at another provider now";
    assert_eq!(offered.world.bell(&alice).await, [told]);
    assert_eq!(offered.world.mails.letters("alice@example.org", told).len(), 1);
    // Her password goes on working beside it.
    offered.world.log_in("alice", PASSWORD).await.data("login");
}

#[tokio::test]
async fn an_address_that_one_side_alone_has_seen_proven_finds_nobody() {
    let offered = Offered::new().await;
    let alice = offered.world.proven("alice").await;
    let liar = offered.sign_in("work", &Person::new(1, "alice").unverified()).await;
    let viewer = liar.data("completeOAuth")["viewer"].clone();
    assert_ne!(viewer["user"]["id"], json!(alice.id));
    assert_eq!((&viewer["email"], &viewer["isEmailVerified"]), (&json!(null), &json!(false)));
    // Mallory registered with an address that is not his; its owner takes it along.
    let mallory = offered.server().register("mallory").await;
    let owner = offered.sign_in("github", &Person::new(2, "mallory")).await;
    assert_eq!(owner.data("completeOAuth")["isNewUser"], json!(true));
    assert_ne!(offered.who(&owner).id, mallory.id);
    assert_eq!(owner.data("completeOAuth")["viewer"]["email"], json!("mallory@example.org"));
    assert_eq!(mallory.query("{ viewer { email } }").await.data("viewer")["email"], json!(null));
    assert_eq!(offered.count("oauth_accounts").await, 2);
}

/// At a company addresses pass from those who leave to those who come.
#[tokio::test]
async fn an_address_does_not_outweigh_who_somebody_was_there() {
    let offered = Offered::new().await;
    let alice = offered.world.proven("alice").await;
    offered.sign_in("work", &Person::new(1, "alice")).await.data("completeOAuth");
    assert_eq!(offered.sign_in("work", &Person::new(2, "alice")).await.code(), "CONFLICT");
    assert_eq!(alice.query(LINKED).await.data("viewer")["oauthAccounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_all_the_same() {
    let offered = Offered::new().await;
    let alice = offered.world.with_factor("alice").await;
    let linked = offered.link(&alice.actor, "github", &Person::new(1, "cat")).await.data("completeOAuth");
    assert_eq!(linked["session"], json!(null));
    let answer = offered.sign_in("github", &Person::new(1, "cat")).await;
    assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED");
    let challenge = answer.0["errors"][0]["extensions"]["challenge"].as_str().unwrap();
    let code = offered.world.next_code(&alice.app);
    let entered = offered.world.answer(challenge, &code).await.data("answerSecondFactor");
    assert_eq!(entered["viewer"]["user"]["username"], "alice");
    offered.server().database.execute("DELETE FROM sign_in_challenges").await;
    assert_eq!(offered.sign_in("github", &Person::new(1, "cat")).await.code(), "SECOND_FACTOR_REQUIRED");
    // By the address too, and nothing is linked before it was shown.
    let answer = offered.sign_in("work", &Person::new(2, "alice")).await;
    assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED");
    assert_eq!((offered.count("oauth_accounts").await, offered.count("sign_in_challenges").await), (1, 2));
}

#[tokio::test]
async fn a_handle_is_chosen_or_made_of_theirs_and_never_somebody_else_s() {
    let offered = Offered::new().await;
    offered.server().register("alice").await;
    let made = offered.sign_in("github", &Person::new(1, "Alice")).await.data("completeOAuth")["viewer"].clone();
    let made = made["user"]["username"].as_str().unwrap().to_owned();
    assert!(made.starts_with("alice-"), "{made}");
    let chosen = async |subject: u64, username: &str| {
        let trip = offered.begin("work").await;
        let (code, _) = offered.provider.visit(&trip.url, &Person::new(subject, "zoe"));
        ask(&offered.anonymous(), COMPLETE, trip.back_with(&code, json!({ "username": username }))).await
    };
    assert_eq!(chosen(2, "alice").await.code(), "CONFLICT");
    assert_eq!(chosen(2, "Anna").await.data("completeOAuth")["viewer"]["user"]["username"], json!("anna"));
    // Who has one already keeps it.
    assert_eq!(chosen(2, "berta").await.data("completeOAuth")["viewer"]["user"]["username"], json!("anna"));
}

#[tokio::test]
async fn keys_of_a_provider_change_and_are_found() {
    let offered = Offered::new().await;
    let alice = Person::new(1, "alice");
    for _ in 0..3 {
        offered.sign_in("work", &alice).await.data("completeOAuth");
        offered.sign_in("work", &alice).await.data("completeOAuth");
        offered.provider.rotate();
    }
    let asked = offered.provider.asked();
    assert_eq!(asked.iter().filter(|path| *path == "/keys").count(), 3, "{asked:?}");
}

#[tokio::test]
async fn a_provider_whose_tokens_say_little_is_asked_for_more() {
    let offered = Offered::new().await;
    offered.provider.be_terse();
    offered.provider.take_posts();
    let viewer = offered.sign_in("work", &Person::new(1, "alice")).await.data("completeOAuth")["viewer"].clone();
    assert_eq!((&viewer["email"], &viewer["isEmailVerified"]), (&json!("alice@example.org"), &json!(true)));
    for wrong in [Wrong::SubjectOfUserInfo, Wrong::TokenForHeaders] {
        offered.provider.do_wrong(Some(wrong));
        assert_eq!(offered.sign_in("work", &Person::new(2, "bob")).await.code(), "OAUTH_FAILED", "{wrong:?}");
    }
}

/// Two tabs: both round trips are good, and there is one account.
#[tokio::test]
async fn who_comes_for_the_first_time_twice_at_once_is_one() {
    let offered = Offered::new().await;
    let alice = Person::new(1, "alice");
    let (one, two) = tokio::join!(offered.sign_in("work", &alice), offered.sign_in("work", &alice));
    assert_eq!(offered.who(&one).id, offered.who(&two).id);
    assert_eq!((offered.count("accounts").await, offered.count("oauth_accounts").await), (1, 1));
}

#[tokio::test]
async fn who_may_not_come_is_not_let_in_by_a_provider() {
    let offered = Offered::with(|config| config.limits.registration = RegistrationPolicy::Invitation).await;
    assert_eq!(offered.sign_in("github", &Person::new(1, "cat")).await.code(), "REGISTRATION_CLOSED");
    let trip = offered.begin("github").await;
    let (code, _) = offered.provider.visit(&trip.url, &Person::new(1, "cat"));
    let forged = trip.back_with(&code, json!({ "invitation": "forged" }));
    assert_eq!(ask(&offered.anonymous(), COMPLETE, forged).await.code(), "TOKEN_INVALID");
    assert_eq!((offered.count("users").await, offered.count("oauth_accounts").await), (0, 0));
}

#[tokio::test]
async fn a_browser_keeps_its_refresh_token_in_a_cookie() {
    let offered = Offered::new().await;
    let trip = offered.begin("github").await;
    let (code, _) = offered.provider.visit(&trip.url, &Person::new(1, "cat"));
    let in_cookie = trip.back_with(&code, json!({ "tokenDelivery": "COOKIE" }));
    let tokens = ask(&offered.anonymous(), COMPLETE, in_cookie).await.data("completeOAuth")["tokens"].clone();
    assert!(tokens["accessToken"].is_string() && tokens["refreshToken"].is_null());
}
