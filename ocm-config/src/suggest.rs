pub(crate) use ocm_oci::similar;
