//! Mails as customers would get them, with the shop's own templates, of an order that never was.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show;
use super::super::visit::{Frame, Visit};
use crate::mail::locale::Locale;
use crate::mail::sample;
use crate::mail::templates::Rendered;
use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse};
use domain::notification::TopicKind;

/// The page of a mail may style itself and load nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";
/// Languages that the built-in texts know.
const LOCALES: [(&str, &str); 3] = [("en-US", "English"), ("de-DE", "German"), ("fr-FR", "French")];

#[derive(Template)]
#[template(path = "mails.html")]
struct Mails {
    frame: Frame,
    topics: Vec<(String, String, bool)>,
    locales: Vec<(&'static str, &'static str, bool)>,
    topic: String,
    locale: String,
    subject: String,
    text: String,
    problem: String,
}

fn asked(visit: &Visit) -> Result<(TopicKind, Locale), Fault> {
    let topic = visit.query.maybe("topic", "Topic")?.unwrap_or(TopicKind::OrderConfirmed);
    Ok((topic, Locale::parse(visit.query.some("locale").unwrap_or("en-US"))))
}

fn rendered(visit: &Visit, topic: TopicKind, locale: &Locale) -> Rendered {
    let templates = &visit.shop().templates;
    let texts = templates.texts(locale);
    templates.render(&sample::contents(topic, "Acme Shop", &texts, locale), &texts, locale)
}

pub async fn page(visit: Visit) -> Answer {
    let (topic, locale) = asked(&visit)?;
    let mail = rendered(&visit, topic, &locale);
    let topics = TopicKind::ALL.map(|each| (each.as_str().to_owned(), show::words(each.as_str()), each == topic));
    visit.show(&Mails {
        topics: topics.into(),
        locales: LOCALES.map(|(tag, label)| (tag, label, tag == locale.tag())).to_vec(),
        topic: topic.as_str().to_owned(),
        locale: locale.tag().to_owned(),
        subject: mail.subject,
        text: mail.text,
        problem: mail.problem.unwrap_or_default(),
        frame: visit.frame("Mails", "settings", ""),
    })
}

/// The mail's HTML by itself.
pub async fn html(visit: Visit) -> Answer {
    let (topic, locale) = asked(&visit)?;
    let mut response = Html(rendered(&visit, topic, &locale).html).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}
