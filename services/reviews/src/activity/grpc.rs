//! Activity over gRPC.

use chassis_access::Caller;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use proto::reviews::v1 as wire;
use tonic::{Request, Response, Status};

use crate::grpc::Reviews;

impl Reviews {
    pub(crate) async fn record_activity(&self, request: Request<wire::RecordActivityRequest>) -> Result<Response<wire::RecordActivityResponse>, Status> {
        const ACTION: &str = "reviews.RecordActivity";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let class_review_id = p.uuid("class_review_id", &message.class_review_id);
        let student_id = p.optional_uuid("student_id", &message.student_id);
        p.finish().or_status()?;
        self.decide(&caller, ACTION, class_review_id).await?;
        let class_active_seconds = self.activity.note(class_review_id, student_id, caller.author()).await.or_status()?;
        Ok(Response::new(wire::RecordActivityResponse { class_active_seconds }))
    }
}
