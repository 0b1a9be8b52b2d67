//! A key and a signature that stand alone, as assertions of snaps have them: nobody says anything of the key in OpenPGP.

use pgp::packet::PublicKey;
use pgp::types::Tag;

use super::certificate::whole;
use super::packets::packets;
use super::signature::DataSignature;
use super::validity::accept;
use super::{OpenPgpError, when};

/// A public key without names or statements.
#[derive(Debug, Clone)]
pub(crate) struct BareKey(PublicKey);

impl BareKey {
    /// Reads the one packet that there is.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, OpenPgpError> {
        let [packet] = packets(bytes)?[..] else {
            return Err(OpenPgpError::Foreign);
        };
        let key = whole(packet, |header, body| {
            PublicKey::try_from_reader(header, body)
        });
        let key = key.filter(|_| packet.tag == Tag::PublicKey);
        key.map(Self).ok_or(OpenPgpError::NoKeys)
    }

    /// Why a signature, the one packet that there is, is not by this key over these bytes.
    pub(crate) fn verify(&self, signature: &[u8], data: &[u8]) -> Result<(), String> {
        let read = || {
            let [packet] = packets(signature)?[..] else {
                return Err(OpenPgpError::Foreign);
            };
            DataSignature::parse(packet)
        };
        let signature = read().map_err(|error| error.to_string())?;
        let time = signature.is_by(&self.0, data)?;
        accept(&self.0, time).map_err(|why| format!("on {} it could not sign: {why}", when(time)))
    }
}
