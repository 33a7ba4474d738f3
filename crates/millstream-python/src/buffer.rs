//! `Buffer`: bytes that Rust holds, as Python reads them without a copy.

use std::ffi::c_int;

use bytes::Bytes;
use pyo3::ffi;
use pyo3::prelude::*;

/// Bytes that do not change, for whatever takes a buffer: `memoryview`, `bytes`, `pyarrow.py_buffer`.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct Buffer(Bytes);

impl Buffer {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

#[pymethods]
impl Buffer {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Python's buffer protocol; a buffer to write in is refused.
    #[allow(unsafe_code)]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        const IS_READ_ONLY: c_int = 1;
        let (start, len) = (slf.get().0.as_ptr(), slf.get().0.len());
        // SAFETY: the interpreter gives a view to fill. The bytes stay where they are until this object goes, to which the view
        // refers, and nobody writes to them: neither this frozen class nor the view, which is for reading alone.
        let failed = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                start.cast_mut().cast(),
                len as ffi::Py_ssize_t,
                IS_READ_ONLY,
                flags,
            )
        };
        if failed == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
