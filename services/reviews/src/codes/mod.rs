//! The code list over gRPC. It holds nobody's data.

use chassis_access::Caller;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use proto::reviews::v1 as wire;
use proto::r#type::v1::Domain;
use tonic::{Request, Response, Status};

use crate::grpc::Reviews;
use crate::taxonomy::{CodeLine, TAXONOMY_VERSION, Taxonomy};
use crate::words;

impl From<&CodeLine> for wire::Code {
    fn from(line: &CodeLine) -> Self {
        Self {
            code: line.code.clone(),
            domain: words::domain_wire(line.domain),
            label: line.label.clone(),
            strength: line.allows_strength(),
            need: line.allows_need(),
            interest: line.is_interest(),
            floor: i32::from(line.floor),
            sensitivity: words::sensitivity_wire(words::sensitivity_of_code(line.sensitivity)),
            service_categories: line.service_categories.clone(),
            synonyms: line.synonyms.clone(),
        }
    }
}

impl Reviews {
    pub(crate) async fn codes(&self, request: Request<wire::ListCodesRequest>) -> Result<Response<wire::ListCodesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut p = Parser::new();
        let domain: Domain = p.known_enum("domain", request.into_inner().domain);
        p.finish().or_status()?;
        self.access.role_suffices(&caller);
        // Start-up refused to go on without the lists.
        let lines = Taxonomy::load().map(Taxonomy::lines).unwrap_or_default();
        let wanted = words::domain_from_wire(domain.into());
        let codes = lines.iter().filter(|line| wanted.is_none() || line.domain == wanted).map(Into::into).collect();
        Ok(Response::new(wire::ListCodesResponse { taxonomy_version: TAXONOMY_VERSION.to_owned(), codes }))
    }
}
