//! What is not taken: from clients, from strangers, and from a provider.

use chrono::TimeDelta;

use super::*;

#[tokio::test]
async fn a_provider_is_believed_nothing_that_does_not_hold() {
    let offered = Offered::new().await;
    offered.sign_in("work", &Person::new(1, "alice")).await.data("completeOAuth");
    let before = offered.server().database.contents().await;
    for wrong in [
        Wrong::Nonce,
        Wrong::NoNonce,
        Wrong::Audience,
        Wrong::AnotherAudience,
        Wrong::Party,
        Wrong::Expired,
        Wrong::Issuer,
        Wrong::Unsigned,
        Wrong::SignedBySecret,
        Wrong::SignedByAnother,
        Wrong::NoToken,
        Wrong::AccessTokenHash,
        Wrong::Subject,
        Wrong::Refuses,
        Wrong::Redirects,
        Wrong::Floods,
        Wrong::Babbles,
    ] {
        offered.provider.do_wrong(Some(wrong));
        let answer = offered.sign_in("work", &Person::new(1, "alice")).await;
        assert_eq!(answer.code(), "OAUTH_FAILED", "{wrong:?}");
        assert!(!answer.0.to_string().contains(INSIDE), "{wrong:?}: {}", answer.0);
    }
    for wrong in [Wrong::Refuses, Wrong::Redirects, Wrong::Floods, Wrong::Babbles, Wrong::TokenForHeaders] {
        offered.provider.do_wrong(Some(wrong));
        let answer = offered.sign_in("github", &Person::new(2, "cat")).await;
        assert_eq!(answer.code(), "OAUTH_FAILED", "{wrong:?}");
        assert!(!answer.0.to_string().contains(INSIDE), "{wrong:?}: {}", answer.0);
    }
    assert!(!offered.provider.asked().contains(&"/token-elsewhere".to_owned()), "it was followed elsewhere");
    assert_eq!(offered.server().database.contents().await, before);
    offered.provider.do_wrong(None);
    offered.sign_in("work", &Person::new(1, "alice")).await.data("completeOAuth");
}

#[tokio::test]
async fn a_provider_that_is_silent_or_gone_is_waited_for_no_longer_than_it_is_worth() {
    let mut offered = Offered::new().await;
    offered.provider.do_wrong(Some(Wrong::IsSilent));
    assert_eq!(offered.sign_in("github", &Person::new(1, "cat")).await.code(), "OAUTH_FAILED");
    offered.provider.stop();
    let input = json!({ "provider": "work", "purpose": "SIGN_IN", "redirectUrl": PAGE,
        "codeChallenge": challenge("a verifier") });
    assert_eq!(ask(&offered.anonymous(), BEGIN, input).await.code(), "OAUTH_FAILED");
    assert_eq!(offered.count("oauth_states").await, 0);
}

#[tokio::test]
async fn a_provider_leads_nowhere_that_is_not_public() {
    let offered = Offered::new().await;
    // The same place, under a name that is not exempt.
    offered.provider.keep_keys_at(&format!("https://127.0.0.1:{}/keys", offered.provider.port));
    let input = json!({ "provider": "work", "purpose": "SIGN_IN", "redirectUrl": PAGE,
        "codeChallenge": challenge("a verifier") });
    assert_eq!(ask(&offered.anonymous(), BEGIN, input).await.code(), "OAUTH_FAILED");
    assert!(!offered.provider.asked().contains(&"/keys".to_owned()));
}

#[tokio::test]
async fn a_state_is_good_once_for_minutes_and_for_whoever_has_the_verifier() {
    let offered = Offered::new().await;
    let (alice, stranger) = (Person::new(1, "alice"), offered.anonymous());
    let trip = offered.begin("work").await;
    let (code, _) = offered.provider.visit(&trip.url, &alice);
    let mallory = Trip { verifier: "m".repeat(43), ..trip.clone() };
    assert_eq!(ask(&stranger, COMPLETE, mallory.back(&code)).await.code(), "TOKEN_INVALID");
    let guess = Trip { state: "forged".into(), ..trip.clone() };
    assert_eq!(ask(&stranger, COMPLETE, guess.back(&code)).await.code(), "TOKEN_INVALID");
    // Neither has taken anything from her.
    ask(&stranger, COMPLETE, trip.back(&code)).await.data("completeOAuth");
    assert_eq!(ask(&stranger, COMPLETE, trip.back(&code)).await.code(), "TOKEN_INVALID");
    let (another, _) = offered.provider.visit(&trip.url, &alice);
    assert_eq!(ask(&stranger, COMPLETE, trip.back(&another)).await.code(), "TOKEN_INVALID");

    let late = offered.begin("work").await;
    offered.server().clock.advance(TimeDelta::minutes(10));
    assert_eq!(offered.come_back(&stranger, &late, &alice).await.code(), "TOKEN_INVALID");
    // A code is of one round trip: it was made for another nonce and another verifier.
    let (one, two) = (offered.begin("work").await, offered.begin("work").await);
    let (code, _) = offered.provider.visit(&one.url, &alice);
    assert_eq!(ask(&stranger, COMPLETE, two.back(&code)).await.code(), "OAUTH_FAILED");
    assert_eq!(offered.count("sessions").await, 1);
}

#[tokio::test]
async fn of_several_who_finish_one_round_trip_at_once_one_does() {
    let offered = Offered::new().await;
    let trip = offered.begin("work").await;
    let (code, _) = offered.provider.visit(&trip.url, &Person::new(1, "alice"));
    let actors = vec![offered.anonymous(); 4];
    let (right, wrong) = race(&actors, COMPLETE, &vec![trip.back(&code); 4]).await;
    assert_eq!((right, wrong), (1, vec!["TOKEN_INVALID".to_owned(); 3]));
    assert_eq!(offered.count("sessions").await, 1);
}

/// A code is worth an account, and must not be sent to where a stranger says.
#[tokio::test]
async fn browsers_come_back_to_configured_pages_alone() {
    let offered = Offered::new().await;
    let input = |url: &str| json!({ "provider": "work", "purpose": "SIGN_IN", "redirectUrl": url, "codeChallenge": challenge("a verifier") });
    for url in [
        "https://evil.example.org/oauth",
        "https://app.example.org/oauth/",
        "https://app.example.org/oauth?next=https://evil.example.org",
        "https://app.example.org/oauth#",
        "https://app.example.org.evil.example.org/oauth",
        "https://app.example.org@evil.example.org/oauth",
        "HTTPS://APP.EXAMPLE.ORG/oauth",
        "javascript:alert(1)",
        "",
    ] {
        let answer = ask(&offered.anonymous(), BEGIN, input(url)).await;
        assert_eq!(answer.wrong_fields(), ["input.redirectUrl NOT_ALLOWED"], "{url}");
    }
    ask(&offered.anonymous(), BEGIN, input("org.example.chat:/oauth")).await.data("beginOAuth");
    assert_eq!(offered.count("oauth_states").await, 1);
}
