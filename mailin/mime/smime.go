package mime

import "bytes"

// What a CMS structure (RFC 5652) is, as far as it matters here.
const (
	cmsOther     = iota // certificates alone, or broken
	cmsSigned           // its content can be read by anybody
	cmsEncrypted        // enveloped, encrypted
)

var (
	oidSigned    = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	oidEncrypted = [][]byte{
		{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3},             // enveloped
		{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 4},             // signed and enveloped
		{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6},             // encrypted
		{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 0x17}, // authenticated and enveloped
	}
)

const (
	berOctets     = 0x04
	berOID        = 0x06
	berSequence   = 0x30
	berContext0   = 0xa0
	berDeepest    = 8 // octet strings in octet strings
	berManyOpened = 64
)

// signedContent takes the signed content out of a CMS structure. It walks BER
// (X.690), where lengths may be unknown and strings come in pieces; signatures
// are not looked at, for they prove nothing here (R31). The content is put
// together in b itself, which is overwritten.
func signedContent(b []byte) (content []byte, what int) {
	info, _, ok := berElement(b, berSequence)
	if !ok {
		return nil, cmsOther
	}
	oid, rest, ok := berElement(info, berOID)
	if !ok {
		return nil, cmsOther
	}
	for _, e := range oidEncrypted {
		if bytes.Equal(oid, e) {
			return nil, cmsEncrypted
		}
	}
	if !bytes.Equal(oid, oidSigned) {
		return nil, cmsOther
	}
	explicit, _, ok := berElement(rest, berContext0)
	if !ok {
		return nil, cmsOther
	}
	signed, _, ok := berElement(explicit, berSequence)
	if !ok {
		return nil, cmsOther
	}
	for range 2 { // version, digest algorithms
		if _, _, signed, ok = berNext(signed); !ok {
			return nil, cmsOther
		}
	}
	encap, _, ok := berElement(signed, berSequence)
	if !ok {
		return nil, cmsOther
	}
	if _, rest, ok = berElement(encap, berOID); !ok {
		return nil, cmsOther
	}
	if explicit, _, ok = berElement(rest, berContext0); !ok {
		return nil, cmsOther // certificates alone, or signed from outside
	}
	return berString(b[:0], explicit, 0), cmsSigned
}

// berElement is the content of the element that b begins with, which must have
// this tag.
func berElement(b []byte, tag byte) (body, rest []byte, ok bool) {
	got, body, rest, ok := berNext(b)
	return body, rest, ok && got == tag
}

// berNext cuts the first element off b. One that is cut short gives what is
// there of it.
func berNext(b []byte) (tag byte, body, rest []byte, ok bool) {
	tag, head, length, ok := berHead(b)
	if !ok || tag == 0 {
		return 0, nil, nil, false
	}
	b = b[head:]
	if length >= 0 {
		n := min(length, len(b))
		return tag, b[:n], b[n:], true
	}
	// until its end mark; only elements of unknown length are looked into
	open, pos := 1, 0
	for pos < len(b) {
		t, head, length, ok := berHead(b[pos:])
		if !ok {
			break
		}
		if t == 0 && length == 0 {
			if open--; open == 0 {
				return tag, b[:pos], b[pos+head:], true
			}
			pos += head
			continue
		}
		pos += head
		if length < 0 {
			if open++; open > berManyOpened {
				return 0, nil, nil, false
			}
			continue
		}
		pos += min(length, len(b)-pos)
	}
	return tag, b, nil, true
}

// berHead reads a tag and a length; -1 is unknown. Tags of several octets are
// not used here.
func berHead(b []byte) (tag byte, head, length int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	switch n := int(b[1]); {
	case n < 0x80:
		return b[0], 2, n, true
	case n == 0x80:
		return b[0], 2, -1, b[0]&0x20 != 0
	case n > 0x84 || len(b) < 2+n&0x7f:
		return 0, 0, 0, false
	default:
		n &= 0x7f
		for _, c := range b[2 : 2+n] {
			length = length<<8 | int(c)
		}
		if length < 0 || length > 1<<31-1 {
			return 0, 0, 0, false
		}
		return b[0], 2 + n, length, true
	}
}

// berString puts the pieces of an octet string together. out is the front of
// the octets that are read: pieces only move towards it.
func berString(out, b []byte, depth int) []byte {
	for depth <= berDeepest {
		tag, body, rest, ok := berNext(b)
		if !ok {
			break
		}
		switch tag {
		case berOctets:
			out = append(out, body...)
		case berOctets | 0x20:
			out = berString(out, body, depth+1)
		}
		b = rest
	}
	return out
}
