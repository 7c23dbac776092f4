//! Between our mail and theirs: pure.

use super::{Mail, Sent, Unwritable, Written};
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

/// The address of a sender such as `Acme Shop <shop@acme.example>`, and its name.
///
/// # Errors
/// When the text is no mail address.
pub fn parse_address(text: &str) -> Result<(Option<String>, String), Unwritable> {
    let mailbox: Mailbox = text.parse().map_err(|error| Unwritable(format!("\"{text}\" is no mail address: {error}")))?;
    Ok((mailbox.name, mailbox.email.to_string()))
}

pub fn write(mail: &Mail) -> Result<Written, Unwritable> {
    let mailbox = |text: &str| -> Result<Mailbox, Unwritable> {
        text.parse().map_err(|error| Unwritable(format!("\"{text}\" is no mail address: {error}")))
    };
    // A line break would begin another header.
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let mut builder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(plain(&mail.subject))
        .message_id(Some(format!("<{}>", plain(&mail.message_id))))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .date_now();
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    for recipient in &mail.to {
        let address =
            recipient.address.parse().map_err(|error| Unwritable(format!("\"{}\" is no mail address: {error}", recipient.address)))?;
        builder = builder.to(Mailbox::new(recipient.name.as_deref().map(plain), address));
    }
    let message = if mail.attachments.is_empty() {
        match &mail.html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
            None => builder.singlepart(SinglePart::plain(mail.text.clone())),
        }
    } else {
        let mut parts = match &mail.html {
            Some(html) => MultiPart::mixed().multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
            None => MultiPart::mixed().singlepart(SinglePart::plain(mail.text.clone())),
        };
        for attachment in &mail.attachments {
            let kind = ContentType::parse(attachment.content_type).map_err(|error| Unwritable(error.to_string()))?;
            parts = parts.singlepart(Attachment::new(attachment.name.clone()).body(attachment.bytes.clone(), kind));
        }
        builder.multipart(parts)
    };
    let message = message.map_err(|error| Unwritable(error.to_string()))?;
    Ok(Written { envelope: message.envelope().clone(), bytes: message.formatted() })
}

/// An error with what brought it about.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

type Error = lettre::transport::smtp::Error;

fn told(error: &Error) -> (String, String) {
    let code = error.status().map_or_else(|| "connection".to_owned(), |code| code.to_string());
    (code, with_causes(error))
}

/// Nothing was handed over: whatever is no refusal may be tried again.
pub fn before_handing_over(error: &Error) -> Sent {
    let (code, message) = told(error);
    if error.is_permanent() { Sent::Refused { code, message } } else { Sent::Later { code, message } }
}

/// The text was handed over: only an answer tells what became of it.
pub fn after_handing_over(error: &Error) -> Sent {
    let (code, message) = told(error);
    if error.is_permanent() {
        Sent::Refused { code, message }
    } else if error.is_transient() {
        Sent::Later { code, message }
    } else {
        Sent::InDoubt { code, message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Attachment, Recipient};
    use super::*;

    fn mail() -> Mail {
        Mail {
            from: "Grüne Läden <shop@acme.example>".into(),
            reply_to: Some("help@acme.example".into()),
            to: vec![Recipient { name: Some("Ada\r\nBcc: eve@example.com".into()), address: "ada@example.com".into() }],
            subject: "Your order\r\nBcc: eve@example.com ✓".into(),
            text: "Über 3 €".into(),
            html: Some("<p>Über 3 €</p>".into()),
            message_id: "ntf_1-1@acme.example".into(),
            attachments: Vec::new(),
        }
    }

    #[test]
    fn no_text_can_begin_another_header() {
        let bytes = String::from_utf8(write(&mail()).unwrap().bytes).unwrap();
        let (head, _) = bytes.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.to_lowercase().starts_with("bcc")), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        assert!(head.contains("Message-ID: <ntf_1-1@acme.example>"), "{head}");
        assert!(bytes.is_ascii());
    }

    #[test]
    fn an_attachment_stands_beside_the_text() {
        let attachments = vec![Attachment { name: "po_1.csv".into(), content_type: "text/csv; charset=utf-8", bytes: b"a,b\r\n".to_vec() }];
        let bytes = String::from_utf8(write(&Mail { html: None, attachments, ..mail() }).unwrap().bytes).unwrap();
        assert!(bytes.contains("multipart/mixed") && bytes.contains("filename=\"po_1.csv\""), "{bytes}");
    }

    #[test]
    fn what_is_no_address_is_told() {
        assert!(write(&Mail { from: "nobody".into(), ..mail() }).is_err());
        assert_eq!(parse_address("Acme <a@b.example>").unwrap(), (Some("Acme".into()), "a@b.example".into()));
    }
}
