//! Every call that any running service answers, by every role: let in or refused at the gate as the matrix says.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use prost::Message as _;
use prost_types::FileDescriptorProto;
use proto::reporting::v1::GetMeasureRequest;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::house::{House, house, unknown};
use crate::rules::{matrix, none};

/// Messages as they are on the wire, so that the test needs none of the generated code.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut as _;
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf as _;
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

const SERVICES: [&str; 5] = ["rosters", "reviews", "plans", "partners", "reporting"];

async fn ask(channel: &Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut answers = ServerReflectionClient::new(channel.clone()).server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap().message_response.unwrap()
}

/// Paths of all calls of a running service, as it tells them itself.
async fn paths(channel: &Channel) -> Vec<String> {
    let MessageResponse::ListServicesResponse(services) = ask(channel, MessageRequest::ListServices(String::new())).await else {
        panic!("reflection lists services");
    };
    let mut paths = Vec::new();
    for service in services.service.iter().filter(|service| !service.name.starts_with("grpc.")) {
        let MessageResponse::FileDescriptorResponse(files) = ask(channel, MessageRequest::FileContainingSymbol(service.name.clone())).await else {
            panic!("reflection knows {}", service.name);
        };
        let files = files.file_descriptor_proto.iter().map(|file| FileDescriptorProto::decode(file.as_slice()).unwrap());
        for file in files {
            for found in file.service.iter().filter(|found| format!("{}.{}", file.package(), found.name()) == service.name) {
                paths.extend(found.method.iter().map(|method| format!("/{}/{}", service.name, method.name())));
            }
        }
    }
    assert!(!paths.is_empty());
    paths
}

/// Calls with an empty message. Ok says that the call went through to an answer or a stream of them.
pub async fn call(channel: &Channel, path: &str, token: &str) -> Result<(), Status> {
    call_with(channel, path, token, Vec::new()).await
}

async fn call_with(channel: &Channel, path: &str, token: &str, message: Vec<u8>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(tokio_stream::once(message));
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut answers = client.streaming(request, path.parse().unwrap(), Raw).await?.into_inner();
    // A stream that watches says nothing for a while, which is an answer, too.
    match tokio::time::timeout(Duration::from_millis(300), answers.message()).await {
        Ok(answer) => answer.map(|_| ()),
        Err(_) => Ok(()),
    }
}

/// An empty message; but a number of the whole district is for fewer than that of a school, so that call names one.
fn message(action: &str, school: &str) -> Vec<u8> {
    match action {
        "reporting.GetMeasure" => GetMeasureRequest { school_id: school.to_owned(), ..Default::default() }.encode_to_vec(),
        _ => Vec::new(),
    }
}

/// Every path of every service with its action.
pub async fn every_call(house: &House) -> Vec<(&'static str, String, String)> {
    let mut calls = Vec::new();
    for service in SERVICES {
        for path in paths(&house.district.channel(service)).await {
            let action = chassis_access::gate::action_of(&path).unwrap();
            assert!(action.starts_with(&format!("{service}.")), "{service} tells of {path}, which is another's");
            calls.push((service, path, action));
        }
    }
    calls
}

#[tokio::test]
async fn every_role_gets_what_the_matrix_gives_it() {
    let house = house().await;
    let (matrix, roles) = matrix();
    assert_eq!(roles.len(), 13);
    let calls = every_call(house).await;
    let mut found: Vec<String> = calls.iter().filter(|(_, _, action)| !matrix.contains_key(action)).map(|(_, path, _)| format!("{path} has no row")).collect();
    let told: BTreeSet<&String> = calls.iter().map(|(_, _, action)| action).collect();
    found.extend(matrix.keys().filter(|action| !action.starts_with("see.") && !told.contains(action)).map(|action| format!("{action} is no call")));
    let school = house.rooms[0].school.school_id.as_str();
    for role in &roles {
        let organisation_id = role.starts_with("partner_").then(unknown);
        let claims = Claims { organisation_id, ..Claims::role(role).at(&[school]) };
        let token = house.district.tokens().mint(&claims);
        for (service, path, action) in &calls {
            let refused = call_with(&house.district.channel(service), path, &token, message(action, school)).await.err();
            let at_the_gate = refused.as_ref().is_some_and(|status| status.code() == Code::PermissionDenied);
            let wanted = matrix.get(action).is_some_and(|allowed| allowed.contains(role));
            if at_the_gate && chassis_rpc::fault::reason_of(refused.as_ref().unwrap()).as_deref() != Some("ACCESS_DENIED") {
                found.push(format!("{action} for {role} is refused without the reason ACCESS_DENIED"));
            }
            if at_the_gate == wanted {
                found.push(format!("{action} for {role}: the matrix says {}, the service {refused:?}", if wanted { "yes" } else { "no" }));
            }
            if refused.is_some_and(|status| matches!(status.code(), Code::Internal | Code::Unknown | Code::Unimplemented | Code::Unavailable)) {
                found.push(format!("{action} for {role} fails instead of answering"));
            }
        }
    }
    none(&found, "calls and policies/role-matrix.csv differ:");
}

#[tokio::test]
async fn unheard_of_roles_get_nothing() {
    let house = house().await;
    let token = house.district.tokens().mint(&Claims::role("superuser"));
    for (service, path, _) in every_call(house).await {
        let refused = call(&house.district.channel(service), &path, &token).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{path}");
    }
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let house = house().await;
    for service in SERVICES {
        let channel = house.district.channel(service);
        eventually("the service is healthy", || async { call(&channel, "/grpc.health.v1.Health/Check", "").await.ok() }).await;
    }
}
