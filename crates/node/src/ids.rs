//! Names that nobody can guess or forge: the one source of randomness and of derived ids here.

use ringwire_signaling::{InvitationId, Invite};
use ringwire_store::Tag;
use sha2::{Digest, Sha256};

/// A fresh random word of 64 bits.
pub(crate) fn random_u64() -> u64 {
    getrandom::u64().expect("the operating system has randomness")
}

fn random_u128() -> u128 {
    u128::from(random_u64()) << 64 | u128::from(random_u64())
}

/// A fresh name for one attempt to write.
pub(crate) fn tag() -> Tag {
    Tag(random_u128())
}

/// The id of the invitation that `command` creates: in the inviter's partition, and with a request
/// id the same whenever and wherever the inviter repeats it.
pub(crate) fn invitation_id(command: &Invite) -> InvitationId {
    let inviter = &command.by.user;
    let bits = match &command.request_id {
        None => random_u128(),
        Some(request_id) => {
            let mut hash = Sha256::new();
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((inviter.as_str().len() as u64).to_le_bytes());
            hash.update(inviter.as_str());
            hash.update(request_id.as_str());
            let digest: [u8; 32] = hash.finalize().into();
            u128::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
        }
    };
    InvitationId { partition: inviter.partition(), bits }
}
