//! The bits of the negotiation, under the names libmilter's `mfdef.h` and `mfapi.h`
//! made common, without their `SMFIF_` and `SMFIP_`.

/// What a filter may do to a message (`SMFIF_*`).
pub mod actions {
    /// ADDHEADER and INSHEADER.
    pub const ADDHDRS: u32 = 0x1;
    /// REPLBODY.
    pub const CHGBODY: u32 = 0x2;
    /// CHGHEADER, which deletes fields as well.
    pub const CHGHDRS: u32 = 0x10;
    /// The filter's answer may name the macros that it wants at each stage.
    pub const SETSYMLIST: u32 = 0x100;
    /// Everything that Postfix offers, at every protocol version.
    pub const ALL: u32 = 0x1ff;
}

/// Which events the MTA leaves out, and to which it expects no reply (`SMFIP_*`).
pub mod protocol {
    pub const NOCONNECT: u32 = 0x1;
    pub const NOHELO: u32 = 0x2;
    pub const NOMAIL: u32 = 0x4;
    pub const NORCPT: u32 = 0x8;
    pub const NOBODY: u32 = 0x10;
    pub const NOHDRS: u32 = 0x20;
    pub const NOEOH: u32 = 0x40;
    pub const NR_HDR: u32 = 0x80;
    pub const NOUNKNOWN: u32 = 0x100;
    pub const NODATA: u32 = 0x200;
    pub const SKIP: u32 = 0x400;
    /// Recipients that the MTA rejected are shown as well.
    pub const RCPT_REJ: u32 = 0x800;
    pub const NR_CONN: u32 = 0x1000;
    pub const NR_HELO: u32 = 0x2000;
    pub const NR_MAIL: u32 = 0x4000;
    pub const NR_RCPT: u32 = 0x8000;
    pub const NR_DATA: u32 = 0x1_0000;
    pub const NR_UNKN: u32 = 0x2_0000;
    pub const NR_EOH: u32 = 0x4_0000;
    pub const NR_BODY: u32 = 0x8_0000;
    /// Header values come, and are given, with the space behind the colon.
    pub const HDR_LEADSPC: u32 = 0x10_0000;
    /// Everything that Postfix offers at version 6. Sendmail's `MDS_256K` and
    /// `MDS_1M` lie above; a filter must not ask for them.
    pub const ALL: u32 = 0x1f_ffff;
}
