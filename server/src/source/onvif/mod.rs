//! `onvif://user:password@host:port/path?subtype=profile`: a camera says by ONVIF what the URL of its stream is, each time that the source
//! is started.

mod answers;
mod soap;
mod token;
mod xml;

use quick_xml::escape::escape;
use url::Url;

use crate::config::{Patience, RtspSource};

use self::answers::Profile;
use self::soap::{Failure, Soap};
use self::xml::Answer;
use super::SourceError;

const DEVICE_SERVICE: &str = "/onvif/device_service";
const MEDIA_SERVICE: &str = "/onvif/media_service";

const GET_SERVICES: &str = "<GetServices xmlns=\"http://www.onvif.org/ver10/device/wsdl\">\
    <IncludeCapability>false</IncludeCapability></GetServices>";
const GET_CAPABILITIES: &str = "<GetCapabilities xmlns=\"http://www.onvif.org/ver10/device/wsdl\">\
    <Category>All</Category></GetCapabilities>";
const GET_PROFILES: &str = "<GetProfiles xmlns=\"http://www.onvif.org/ver10/media/wsdl\"/>";

/// The RTSP source that such a source stands for at present.
pub(super) async fn camera(source: &RtspSource, patience: Patience) -> Result<RtspSource, SourceError> {
    let device = device_service(&source.url).ok_or_else(|| SourceError::Unusable {
        reason: "the URL of the ONVIF service is none: expected onvif://host:port".to_owned(),
    })?;
    let mut camera = Camera {
        soap: Soap::new(device.clone(), source.credentials.clone(), patience.silence),
        device,
        named: None,
    };
    let wish = source.url.query_pairs().find(|(key, value)| key == "subtype" && !value.is_empty());
    let (media, profiles) = camera.profiles().await?;
    let wish = wish.as_ref().map(|(_, value)| &**value);
    let profile = answers::chosen(&profiles, wish).ok_or_else(|| no_profile(&media, &profiles, wish))?;
    let found = camera.stream(&media, profile).await?;
    let credentials = source.credentials.clone().or_else(|| login(&found));
    let mut url = found;
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(RtspSource { url, credentials, ..source.clone() })
}

struct Camera {
    soap: Soap,
    device: Url,
    /// The host by which the camera names itself, where that is another than the configured one, as behind NAT.
    named: Option<String>,
}

impl Camera {
    /// The media service, with its profiles.
    async fn profiles(&mut self) -> Result<(Url, Vec<Profile>), SourceError> {
        let mut services = Vec::new();
        let mut failure = None;
        match self.media_service().await {
            Ok(Some(announced)) => services.push(self.reachable(&announced)),
            Ok(None) => {}
            Err(error @ (Failure::Foreign(_) | Failure::Fault(_))) => failure = Some(error),
            Err(error) => return Err(self.explained(&self.device, error)),
        }
        if services.is_empty() {
            services.extend([MEDIA_SERVICE, DEVICE_SERVICE].map(|path| with_path(&self.device, path)));
        }
        for service in services {
            match self.soap.call(&service, GET_PROFILES).await {
                Ok(answer) => return Ok((service, answers::profiles(&answer))),
                Err(error @ (Failure::Foreign(_) | Failure::Fault(_))) => failure = failure.or(Some(error)),
                Err(error) => return Err(self.explained(&service, error)),
            }
        }
        let failure = failure.unwrap_or_else(|| Failure::Foreign("no answer".to_owned()));
        Err(self.explained(&self.device, failure))
    }

    /// The address that the camera gives for the media service. Of the two requests, old cameras know only the second one.
    async fn media_service(&mut self) -> Result<Option<Url>, Failure> {
        type Reading = fn(&Answer) -> Option<String>;
        let requests: [(&str, Reading); 2] = [
            (GET_SERVICES, answers::media_service as Reading),
            (GET_CAPABILITIES, answers::media_capability as Reading),
        ];
        let mut failure = None;
        for (request, reading) in requests {
            match self.soap.call(&self.device, request).await {
                Ok(answer) => {
                    let address = reading(&answer).and_then(|address| Url::parse(&address).ok());
                    if address.is_some() {
                        return Ok(address);
                    }
                }
                Err(error @ (Failure::Foreign(_) | Failure::Fault(_))) => failure = failure.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// The URL by which a service is reached from here.
    fn reachable(&mut self, announced: &Url) -> Url {
        let host = announced.host_str().unwrap_or_default();
        let is_other = !is_same(Some(host), self.device.host_str());
        self.named = is_other.then(|| host.to_owned());
        if is_other || announced.scheme() != "http" {
            let mut url = with_path(&self.device, announced.path());
            url.set_query(announced.query());
            return url;
        }
        announced.clone()
    }

    /// The URL of a profile's stream.
    async fn stream(&mut self, media: &Url, profile: &Profile) -> Result<Url, SourceError> {
        let token = escape(&*profile.token);
        let request = format!(
            "<GetStreamUri xmlns=\"http://www.onvif.org/ver10/media/wsdl\"><StreamSetup>\
             <Stream xmlns=\"http://www.onvif.org/ver10/schema\">RTP-Unicast</Stream>\
             <Transport xmlns=\"http://www.onvif.org/ver10/schema\"><Protocol>RTSP</Protocol></Transport></StreamSetup>\
             <ProfileToken>{token}</ProfileToken></GetStreamUri>"
        );
        let answer = self.soap.call(media, &request).await.map_err(|error| self.explained(media, error))?;
        let url = answers::stream_uri(&answer).and_then(|uri| Url::parse(uri).ok());
        let url =
            url.filter(|url| url.scheme() == "rtsp" && url.host_str().is_some_and(|host| !host.is_empty()));
        let Some(mut url) = url else {
            let token = answers::plain(&profile.token);
            let reason = format!("names no rtsp:// URL for its profile \"{token}\"");
            return Err(SourceError::Onvif { url: media.to_string(), reason, permanent: false });
        };
        if self.named.is_some() && is_same(self.named.as_deref(), url.host_str()) {
            let _ = url.set_host(self.device.host_str());
        }
        Ok(url)
    }

    fn explained(&self, url: &Url, failure: Failure) -> SourceError {
        let (reason, permanent) = match failure {
            Failure::Source(error) => return error,
            Failure::Refused if self.soap.has_login() => (
                "refuses the user or the password: check them in the source's URL (many cameras have users of their own for ONVIF)"
                    .to_owned(),
                true,
            ),
            Failure::Refused => {
                ("wants a user and a password: write onvif://user:password@host".to_owned(), true)
            }
            Failure::Fault(reason) => (format!("answers ONVIF with an error: {reason}"), false),
            Failure::Foreign(what) => (
                format!(
                    "is no ONVIF service ({what}): switch ONVIF on in the camera's settings, check the port of the URL, or use the \
                     camera's rtsp:// URL"
                ),
                false,
            ),
        };
        SourceError::Onvif { url: url.to_string(), reason, permanent }
    }
}

/// All that is read of an answer.
pub(super) fn fuzz(text: &str) {
    let Some(answer) = Answer::read(text) else { return };
    let profiles = answers::profiles(&answer);
    let _ = (answers::fault(&answer), answers::time(&answer), answers::stream_uri(&answer));
    let _ = (answers::media_service(&answer), answers::media_capability(&answer));
    let _ = (answers::chosen(&profiles, Some("1")), answers::chosen(&profiles, None));
}

/// Without a path it is the one that ONVIF prescribes.
fn device_service(url: &Url) -> Option<Url> {
    let mut url = Url::parse(&url.as_str().replacen("onvif://", "http://", 1)).ok()?;
    url.set_query(None);
    if url.path() == "/" {
        url.set_path(DEVICE_SERVICE);
    }
    (url.scheme() == "http").then_some(url)
}

fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(path);
    url.set_query(None);
    url
}

fn is_same(host: Option<&str>, other: Option<&str>) -> bool {
    host.zip(other).is_some_and(|(host, other)| host.eq_ignore_ascii_case(other))
}

/// That in a URL, decoded.
fn login(url: &Url) -> Option<(String, String)> {
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = Some(url.username()).filter(|user| !user.is_empty())?;
    Some((decoded(user), decoded(url.password().unwrap_or_default())))
}

fn no_profile(media: &Url, profiles: &[Profile], wish: Option<&str>) -> SourceError {
    let tokens: Vec<String> =
        profiles.iter().take(20).map(|profile| answers::plain(&profile.token)).collect();
    let reason = match wish {
        Some(wish) if !tokens.is_empty() => {
            format!("has no profile \"{}\" (?subtype=): it has {}", answers::plain(wish), tokens.join(", "))
        }
        _ => "has no profile: make one with video in the camera's settings".to_owned(),
    };
    SourceError::Onvif { url: media.to_string(), reason, permanent: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_where_the_url_says_or_else_where_onvif_puts_it() {
        for (url, service) in [
            ("onvif://h", "http://h/onvif/device_service"),
            ("onvif://h:8000?subtype=a", "http://h:8000/onvif/device_service"),
            ("onvif://[::1]:8000/?subtype=a", "http://[::1]:8000/onvif/device_service"),
            ("onvif://h/other/service?subtype=a", "http://h/other/service"),
        ] {
            let found = device_service(&url.parse().expect("a URL")).expect("a service");
            assert_eq!(found.as_str(), service);
        }
    }
}
