//! Operations on invitations over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_signaling::{By, Command, InvitationId, Refusal, Reply, RequestId};
use ringwire_wire::body::{HttpBody, parse_http_body, parse_http_query};
use ringwire_wire::error::{ErrorBody, ErrorCode};
use ringwire_wire::params::{
    AcceptParams, CancelParams, HistoryParams, InviteParams, ListActiveParams, ModifyParams, RejectParams, SignalParams,
};
use ringwire_wire::view::ReplyView;

use super::body::Body;
use super::problem::HttpError;
use super::who::{Caller, idempotency_key};
use crate::service::{Service, by};
use crate::shared::Shared;

type Response = Result<HttpResponse, HttpError>;

/// `POST /v1/invitations`
pub(super) async fn invite(
    caller: Caller,
    shared: web::Data<Shared>,
    request: HttpRequest,
    Body(body): Body,
) -> Response {
    let HttpBody { acting_for, device, mut params } = parse_http_body::<InviteParams>(&body, None)?;
    params.request_id = key(&request, params.request_id)?;
    let by = by(&caller.acting(acting_for)?, device.as_ref());
    let reply = service(shared).invite(params.into_command(by), None).await?;
    Ok(HttpResponse::Created().json(ReplyView::from(&reply)))
}

/// `POST /v1/invitations/{id}/{operation}`
pub(super) async fn act(
    caller: Caller,
    shared: web::Data<Shared>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    Body(body): Body,
) -> Response {
    let (id, operation) = path.into_inner();
    let id = invitation(&id)?;
    let asked = Asked { caller, request, id, body };
    let service = service(shared);
    let reply = match operation.as_str() {
        "accept" => {
            let (params, by) = asked.read(|params: &mut AcceptParams| &mut params.request_id)?;
            service.act(id, Command::Answer(params.into_command(by)), None).await?
        }
        "reject" => {
            let (params, by) = asked.read(|params: &mut RejectParams| &mut params.request_id)?;
            service.act(id, Command::Answer(params.into_command(by)), None).await?
        }
        "cancel" => {
            let (params, by) = asked.read(|params: &mut CancelParams| &mut params.request_id)?;
            service.act(id, Command::Cancel(params.into_command(by)), None).await?
        }
        "modify" => {
            let (params, by) = asked.read(|params: &mut ModifyParams| &mut params.request_id)?;
            service.act(id, Command::Modify(params.into_command(by)), None).await?
        }
        "signal" => {
            let (params, by) = asked.read(|params: &mut SignalParams| &mut params.request_id)?;
            service.signal(id, params.into_command(by), None).await?
        }
        _ => return Err(ErrorBody::new(ErrorCode::NotFound, "there is no such operation").into()),
    };
    Ok(done(&reply))
}

/// `GET /v1/invitations/{id}`
pub(super) async fn get(
    caller: Caller,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    query: web::Query<Vec<(String, String)>>,
) -> Response {
    let id = invitation(&path)?;
    let HttpBody { acting_for, .. } = parse_http_query::<ringwire_wire::params::PingParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).get(&user, id).await?))
}

/// `GET /v1/invitations`
pub(super) async fn active(
    caller: Caller,
    shared: web::Data<Shared>,
    query: web::Query<Vec<(String, String)>>,
) -> Response {
    let HttpBody { acting_for, params, .. } = parse_http_query::<ListActiveParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).active(user, &params).await?))
}

/// `GET /v1/history`
pub(super) async fn history(
    caller: Caller,
    shared: web::Data<Shared>,
    query: web::Query<Vec<(String, String)>>,
) -> Response {
    let HttpBody { acting_for, params, .. } = parse_http_query::<HistoryParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).history(user, &params).await?))
}

/// A request about one invitation, not yet read.
struct Asked {
    caller: Caller,
    request: HttpRequest,
    id: InvitationId,
    body: web::Bytes,
}

impl Asked {
    /// The operation's parameters with the request id that the request names, and who acts.
    fn read<T: ringwire_wire::body::Params>(
        self,
        request_id: impl FnOnce(&mut T) -> &mut Option<RequestId>,
    ) -> Result<(T, By), HttpError> {
        let HttpBody { acting_for, device, mut params } = parse_http_body::<T>(&self.body, Some(self.id))?;
        let slot = request_id(&mut params);
        *slot = key(&self.request, slot.take())?;
        Ok((params, by(&self.caller.acting(acting_for)?, device.as_ref())))
    }
}

/// The request id, from the header or from the body.
fn key(request: &HttpRequest, in_body: Option<RequestId>) -> Result<Option<RequestId>, HttpError> {
    match (idempotency_key(request)?, in_body) {
        (Some(header), Some(body)) if header != body => {
            Err(ErrorBody::invalid_params("request_id", "differs from Idempotency-Key").into())
        }
        (header, body) => Ok(header.or(body)),
    }
}

fn service(shared: web::Data<Shared>) -> Service {
    Service { shared: shared.into_inner() }
}

fn done(reply: &Reply) -> HttpResponse {
    HttpResponse::Ok().json(ReplyView::from(reply))
}

/// An id that is none names no invitation.
fn invitation(text: &str) -> Result<InvitationId, HttpError> {
    text.parse().map_err(|_| HttpError(ErrorBody::from(&Refusal::NotFound)))
}

fn pairs(query: &web::Query<Vec<(String, String)>>) -> impl Iterator<Item = (&str, &str)> {
    query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}
