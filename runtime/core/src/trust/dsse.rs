//! DSSE envelopes (Dead Simple Signing Envelope 1.0.2): payload bytes signed as they are, with their type.
//!
//! A payload leaves an envelope only through [`Envelope::open`], after a signature over it has fitted a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::id::KeyId;
use crate::json;

use super::keys::{PublicKey, SigningKey, Verdicts};

/// The one payload type: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The largest envelope in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 64 << 10;

const MAX_SIGNATURES: usize = 16;

/// The pre-authentication encoding: the bytes that are signed (DSSE protocol, "Signature Definition").
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Bytes that are no envelope, or one that no given key has signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// No envelope of the wanted kind.
    #[error("no DSSE envelope: {0}")]
    Malformed(String),
    /// No signature in it is one of the key.
    #[error("no signature in the envelope fits the key")]
    Unfit,
}

/// An envelope that was read and of which nothing is proven.
#[derive(Clone, Debug)]
pub struct Envelope {
    payload: Vec<u8>,
    signed: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug)]
pub struct EnvelopeSignature {
    /// The key that the envelope names; not authenticated, so good for looking up and nothing else.
    pub hint: Option<String>,
    bytes: Vec<u8>,
}

/// A payload that a key has signed: the very bytes.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// The bytes that were verified.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
struct WireSignature {
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Reads an envelope: strict JSON, standard base64 with padding, exactly the payload type, 1 to 16 signatures.
    /// Members of other names are read over, as the protocol asks.
    ///
    /// # Errors
    /// [`DsseError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(malformed(format!("larger than {MAX_ENVELOPE_BYTES} bytes")));
        }
        let wire: Wire = json::parse_as(bytes).map_err(|error| malformed(error.to_string()))?;
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(malformed(format!("the payload type is not {PAYLOAD_TYPE}")));
        }
        if wire.signatures.is_empty() || wire.signatures.len() > MAX_SIGNATURES {
            return Err(malformed(format!("it has {} signatures, not 1 to {MAX_SIGNATURES}", wire.signatures.len())));
        }
        let payload = STANDARD.decode(&wire.payload).map_err(|error| malformed(format!("the payload: {error}")))?;
        let signatures = wire.signatures.into_iter().map(EnvelopeSignature::read).collect::<Result<_, _>>()?;
        Ok(Self { signed: pae(PAYLOAD_TYPE, &payload), payload, signatures })
    }

    /// Its signatures, in order.
    #[must_use]
    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }

    /// The payload, if this signature is one of the key over it. A good verdict is remembered in `verdicts`, if there.
    #[must_use]
    pub fn open(&self, signature: &EnvelopeSignature, key: &PublicKey, verdicts: Option<&Verdicts>) -> Option<Verified<'_>> {
        let fits = match verdicts {
            Some(verdicts) => verdicts.verify(key, &self.signed, &signature.bytes),
            None => key.verify(&self.signed, &signature.bytes),
        };
        fits.then_some(Verified(&self.payload))
    }
}

impl EnvelopeSignature {
    fn read(wire: WireSignature) -> Result<Self, DsseError> {
        let bytes = STANDARD.decode(&wire.sig).map_err(|error| malformed(format!("a signature: {error}")))?;
        Ok(Self { hint: wire.keyid.filter(|hint| !hint.is_empty()), bytes })
    }
}

fn malformed(message: impl Into<String>) -> DsseError {
    DsseError::Malformed(message.into())
}

/// An envelope around the payload, signed by the key; canonical JSON.
///
/// # Errors
/// [`DsseError::Malformed`] if it would be larger than an envelope may be.
pub fn sign(payload: &[u8], id: &KeyId, key: &SigningKey) -> Result<Vec<u8>, DsseError> {
    #[derive(Serialize)]
    struct Out<'a> {
        #[serde(rename = "payloadType")]
        payload_type: &'a str,
        payload: String,
        signatures: [OutSignature<'a>; 1],
    }
    #[derive(Serialize)]
    struct OutSignature<'a> {
        keyid: &'a KeyId,
        sig: String,
    }
    let sig = STANDARD.encode(key.sign(&pae(PAYLOAD_TYPE, payload)));
    let out =
        Out { payload_type: PAYLOAD_TYPE, payload: STANDARD.encode(payload), signatures: [OutSignature { keyid: id, sig }] };
    let bytes = json::canonical(&out).map_err(|error| malformed(error.to_string()))?;
    if bytes.len() > MAX_ENVELOPE_BYTES {
        return Err(malformed(format!("larger than {MAX_ENVELOPE_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The payload of an envelope that the key has signed; which key it is, the caller knows and the envelope does not say.
///
/// # Errors
/// [`DsseError::Malformed`] or [`DsseError::Unfit`].
pub fn verify(envelope: &[u8], key: &PublicKey) -> Result<Vec<u8>, DsseError> {
    let envelope = Envelope::parse(envelope)?;
    let opened = envelope.signatures.iter().find_map(|signature| envelope.open(signature, key, None));
    opened.map(|payload| payload.bytes().to_vec()).ok_or(DsseError::Unfit)
}
