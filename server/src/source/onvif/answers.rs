//! What a camera's answers say.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::xml::{Answer, Part};

const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
/// Longer words of a camera are cut.
const LONGEST: usize = 200;

/// The camera does not do what it was asked for.
#[derive(Debug)]
pub(super) enum Fault {
    /// The login is missing, or is not accepted.
    Refused,
    /// The camera's words.
    Other(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) token: String,
    name: String,
    has_video: bool,
}

/// The fault that the answer is, if it is one.
pub(super) fn fault(answer: &Answer) -> Option<Fault> {
    let fault = answer.root().first("Fault")?;
    // SOAP 1.2, and then SOAP 1.1, as some cameras speak it whatever they are asked in.
    let codes: Vec<&str> =
        ["Value", "faultcode"].iter().flat_map(|name| fault.all(name)).map(Part::text).collect();
    let reason = fault.text_of("Text").or_else(|| fault.text_of("faultstring")).unwrap_or_default();
    let said = format!("{} {reason}", codes.join(" ")).to_ascii_lowercase();
    // `ter:NotAuthorized`, `wsse:FailedAuthentication`, "Unauthorized", "Wsse authorized time check failed", …
    if ["authoriz", "authoris", "authentica", "wsse"].iter().any(|word| said.contains(word)) {
        return Some(Fault::Refused);
    }
    let said = if reason.is_empty() { codes.last().copied().unwrap_or("no reason") } else { reason };
    Some(Fault::Other(plain(said)))
}

/// The address of the media service in the answer to `GetServices`.
pub(super) fn media_service(answer: &Answer) -> Option<String> {
    let mut services = answer.root().all("Service");
    services.find(|service| service.text_of("Namespace") == Some(MEDIA))?.text_of("XAddr").map(str::to_owned)
}

/// The same in the answer to `GetCapabilities`.
pub(super) fn media_capability(answer: &Answer) -> Option<String> {
    answer.root().first("Capabilities")?.first("Media")?.text_of("XAddr").map(str::to_owned)
}

pub(super) fn profiles(answer: &Answer) -> Vec<Profile> {
    let profile = |part: Part<'_>| {
        Some(Profile {
            token: part.token()?.to_owned(),
            name: part.text_of("Name").unwrap_or_default().to_owned(),
            has_video: part.first("VideoEncoderConfiguration").is_some(),
        })
    };
    answer.root().all("Profiles").filter_map(profile).collect()
}

/// The profile of this token, of this name, or of this place in the list; without a wish, the first one with video.
pub(super) fn chosen<'a>(profiles: &'a [Profile], wish: Option<&str>) -> Option<&'a Profile> {
    let Some(wish) = wish else {
        return profiles.iter().find(|profile| profile.has_video).or(profiles.first());
    };
    let by_token = profiles.iter().find(|profile| profile.token == wish);
    let by_name = || profiles.iter().find(|profile| profile.name == wish);
    by_token.or_else(by_name).or_else(|| profiles.get(wish.parse::<usize>().ok()?))
}

pub(super) fn stream_uri(answer: &Answer) -> Option<&str> {
    answer.root().text_of("Uri")
}

/// The answer to `GetSystemDateAndTime`.
pub(super) fn time(answer: &Answer) -> Option<OffsetDateTime> {
    let now = answer.root().first("UTCDateTime")?;
    let number = |name| now.text_of(name)?.parse::<u16>().ok();
    let small = |name| u8::try_from(number(name)?).ok();
    let month = Month::try_from(small("Month")?).ok()?;
    let date = Date::from_calendar_date(number("Year")?.into(), month, small("Day")?).ok()?;
    let time = Time::from_hms(small("Hour")?, small("Minute")?, small("Second")?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// A camera's words for a message.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer::read(text).expect("XML")
    }

    #[test]
    fn the_media_service_is_found_among_the_others_in_either_answer() {
        let services = answer(
            "<e:Body><tds:Service><tds:Namespace>http://www.onvif.org/ver10/device/wsdl</tds:Namespace><tds:XAddr>http://h/1</tds:XAddr>\
             </tds:Service><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>\
             <tds:XAddr> http://h/2 </tds:XAddr></tds:Service></e:Body>",
        );
        assert_eq!(media_service(&services).as_deref(), Some("http://h/2"));
        let capabilities = answer(
            "<Body><Capabilities><tt:Device><tt:XAddr>http://h/1</tt:XAddr></tt:Device><tt:Media><tt:XAddr>http://h/3</tt:XAddr>\
             </tt:Media></Capabilities></Body>",
        );
        assert_eq!(media_capability(&capabilities).as_deref(), Some("http://h/3"));
        assert_eq!((media_service(&capabilities), media_capability(&services)), (None, None));
    }

    #[test]
    fn a_profile_is_chosen_by_its_token_its_name_or_its_place_and_without_a_wish_by_its_video() {
        let found = profiles(&answer(
            "<r><trt:Profiles fixed='true' token='1'><tt:Name>sound</tt:Name></trt:Profiles><trt:Profiles token='main'>\
             <tt:Name>mainStream</tt:Name><tt:VideoEncoderConfiguration token='v'><tt:Name>v</tt:Name>\
             </tt:VideoEncoderConfiguration></trt:Profiles></r>",
        ));
        for (wish, token) in [
            (None, Some("main")),
            (Some("main"), Some("main")),
            (Some("mainStream"), Some("main")),
            (Some("1"), Some("1")),
            (Some("0"), Some("1")),
            (Some("2"), None),
            (Some("sub"), None),
        ] {
            assert_eq!(chosen(&found, wish).map(|profile| &*profile.token), token, "{wish:?}");
        }
        assert_eq!(chosen(&[], None), None);
    }

    #[test]
    fn a_refusal_is_told_from_other_faults() {
        for (text, is_refusal) in [
            (
                "<Fault><Code><Value>s:Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>",
                true,
            ),
            ("<Fault><Reason><Text>Wsse authorized time check failed.</Text></Reason></Fault>", true),
            ("<Fault><faultcode>wsse:FailedAuthentication</faultcode></Fault>", true),
            (
                "<Fault><Code><Value>s:Receiver</Value><Subcode><Value>ter:ActionNotSupported</Value></Subcode></Code></Fault>",
                false,
            ),
            ("<Fault><faultstring>out of memory</faultstring></Fault>", false),
        ] {
            let found = fault(&answer(&format!("<Body>{text}</Body>"))).expect("a fault");
            assert_eq!(matches!(found, Fault::Refused), is_refusal, "{text}: {found:?}");
        }
    }

    #[test]
    fn the_cameras_time_is_read_and_a_wrong_one_is_none() {
        let at = |month: &str| {
            answer(&format!(
                "<r><tt:LocalDateTime><tt:Time><tt:Hour>9</tt:Hour></tt:Time></tt:LocalDateTime><tt:UTCDateTime><tt:Time>\
                 <tt:Hour>7</tt:Hour><tt:Minute>50</tt:Minute><tt:Second>45</tt:Second></tt:Time><tt:Date><tt:Year>2010</tt:Year>\
                 <tt:Month>{month}</tt:Month><tt:Day>16</tt:Day></tt:Date></tt:UTCDateTime></r>"
            ))
        };
        assert_eq!(time(&at("9")).map(OffsetDateTime::unix_timestamp), Some(1_284_623_445));
        assert_eq!((time(&at("13")), time(&at("-1"))), (None, None));
    }
}
